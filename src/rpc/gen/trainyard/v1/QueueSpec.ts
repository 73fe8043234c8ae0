// Original file: proto/trainyard/v1/queues.proto


export interface QueueSpec {
  'path'?: (string);
  'guarantee'?: (number);
  'limit'?: (number);
  'weight'?: (number);
  'order'?: (string);
  '_limit'?: "limit";
  '_weight'?: "weight";
}

export interface QueueSpec__Output {
  'path': (string);
  'guarantee': (number);
  'limit'?: (number);
  'weight'?: (number);
  'order': (string);
  '_limit'?: "limit";
  '_weight'?: "weight";
}
