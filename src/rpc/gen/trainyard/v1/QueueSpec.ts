// Original file: proto/trainyard/v1/queues.proto

import type { Long } from '@grpc/proto-loader';

export interface QueueSpec {
  'path'?: (string);
  'guarantee'?: (number);
  'limit'?: (number);
  'weight'?: (number);
  'order'?: (string);
  'guaranteeCpuMilli'?: (number | string | Long);
  'guaranteeMemoryMib'?: (number | string | Long);
  'limitCpuMilli'?: (number | string | Long);
  'limitMemoryMib'?: (number | string | Long);
  'borrowingLimit'?: (number);
  'lendingLimit'?: (number);
  'usageHalfLifeMs'?: (number | string | Long);
  '_limit'?: "limit";
  '_weight'?: "weight";
  '_guaranteeCpuMilli'?: "guaranteeCpuMilli";
  '_guaranteeMemoryMib'?: "guaranteeMemoryMib";
  '_limitCpuMilli'?: "limitCpuMilli";
  '_limitMemoryMib'?: "limitMemoryMib";
  '_borrowingLimit'?: "borrowingLimit";
  '_lendingLimit'?: "lendingLimit";
  '_usageHalfLifeMs'?: "usageHalfLifeMs";
}

export interface QueueSpec__Output {
  'path': (string);
  'guarantee': (number);
  'limit'?: (number);
  'weight'?: (number);
  'order': (string);
  'guaranteeCpuMilli'?: (number);
  'guaranteeMemoryMib'?: (number);
  'limitCpuMilli'?: (number);
  'limitMemoryMib'?: (number);
  'borrowingLimit'?: (number);
  'lendingLimit'?: (number);
  'usageHalfLifeMs'?: (number);
  '_limit'?: "limit";
  '_weight'?: "weight";
  '_guaranteeCpuMilli'?: "guaranteeCpuMilli";
  '_guaranteeMemoryMib'?: "guaranteeMemoryMib";
  '_limitCpuMilli'?: "limitCpuMilli";
  '_limitMemoryMib'?: "limitMemoryMib";
  '_borrowingLimit'?: "borrowingLimit";
  '_lendingLimit'?: "lendingLimit";
  '_usageHalfLifeMs'?: "usageHalfLifeMs";
}
