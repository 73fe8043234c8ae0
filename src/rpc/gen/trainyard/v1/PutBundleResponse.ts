// Original file: proto/trainyard/v1/jobs.proto


export interface PutBundleResponse {
  'wasThere'?: (boolean);
}

export interface PutBundleResponse__Output {
  'wasThere': (boolean);
}
