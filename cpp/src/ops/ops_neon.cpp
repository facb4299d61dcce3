#include "ops/ops_impl.h"

const OpsTable kOpsNeon = kOps;
