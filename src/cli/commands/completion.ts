// `trainyard completion SHELL`: the script that a shell loads. The words come from `__complete`, so
// that they are those of the installed version and of the running cluster.

import { defineCommand } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { usageError } from "../failure.ts";
import { nearest } from "../../config/suggest.ts";

// In the answers, a line `:files` or `:directories` leaves the rest to the shell; the others are
// a word and, after a tab, what it means.
const BASH = `# bash completion of trainyard
_trainyard() {
  local line word part glued= typed=
  local -a words=()
  # Readline takes --flag=value for three words, and replaces only the last.
  for part in "\${COMP_WORDS[@]:1:COMP_CWORD}"; do
    if [[ -n $glued || $part == = ]] && ((\${#words[@]})); then
      words[\${#words[@]}-1]+=$part
    else
      words+=("$part")
    fi
    if [[ $part == = ]]; then glued=1; else glued=; fi
  done
  word="\${words[\${#words[@]}-1]}"
  [[ $word == --*=* ]] && typed="\${word%%=*}="
  COMPREPLY=()
  compopt +o default 2>/dev/null
  while IFS= read -r line; do
    case "$line" in
      :files) compopt -o default 2>/dev/null ;;
      :directories) compopt -o dirnames 2>/dev/null ;;
      *) word="\${line%%$'\\t'*}"; COMPREPLY+=("\${word#"$typed"}") ;;
    esac
  done < <("\${COMP_WORDS[0]}" __complete -- "\${words[@]}" 2>/dev/null)
}
complete -F _trainyard trainyard
`;

const ZSH = `#compdef trainyard
# zsh completion of trainyard
_trainyard() {
  local line
  local -a described
  while IFS= read -r line; do
    case "$line" in
      :files) _files ;;
      :directories) _files -/ ;;
      *) described+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}") ;;
    esac
  done < <("\${words[1]}" __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  (( \${#described} )) && _describe -V trainyard described
}
# Evaluated, or found in $fpath: there this file is the function's first call.
if [[ \${funcstack[1]} == _trainyard ]]; then _trainyard "$@"; else compdef _trainyard trainyard; fi
`;

const FISH = `# fish completion of trainyard
function __trainyard_complete
    set -l words (commandline -opc) (commandline -ct)
    for line in ($words[1] __complete -- $words[2..-1] 2>/dev/null)
        switch $line
            case :files
                __fish_complete_path (commandline -ct)
            case :directories
                __fish_complete_directories (commandline -ct)
            case '*'
                echo $line
        end
    end
end
complete -c trainyard -f -a '(__trainyard_complete)'
`;

const SCRIPTS: ReadonlyMap<string, string> = new Map([
  ["bash", BASH],
  ["zsh", ZSH],
  ["fish", FISH],
]);

export const completion = defineCommand({
  name: "completion",
  summary: "Print the completion script of a shell",
  details:
    "Completes commands, flags, and the names of jobs, queues and nodes of the running cluster.",
  operands: [{ name: "shell", help: "bash, zsh or fish.", isRequired: true, completion: "shell" }],
  flags: {},
  examples: [
    { command: 'eval "$(trainyard completion bash)"', says: "in ~/.bashrc" },
    { command: 'eval "$(trainyard completion zsh)"', says: "in ~/.zshrc, after compinit" },
    {
      command: "trainyard completion fish > ~/.config/fish/completions/trainyard.fish",
      says: "once",
    },
  ],
  run: async ({ operands, print }) => {
    const shell = operands[0] ?? "";
    const script = SCRIPTS.get(shell);
    if (script === undefined) {
      const near = nearest(shell, SCRIPTS.keys());
      const hint = near === null ? "" : ` Did you mean ${near}?`;
      throw usageError(
        `There is no completion for ${JSON.stringify(shell)}.${hint}`,
        "Write bash, zsh or fish.",
        "shell",
      );
    }
    print.one({ kind: "Script", name: shell, value: { shell, script }, text: () => script });
    return EXIT.ok;
  },
});
