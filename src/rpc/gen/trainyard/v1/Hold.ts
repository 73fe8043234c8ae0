// Original file: proto/trainyard/v1/jobs.proto


export interface Hold {
  'code'?: (string);
  'message'?: (string);
  'details'?: ({[key: string]: string});
}

export interface Hold__Output {
  'code': (string);
  'message': (string);
  'details': ({[key: string]: string});
}
