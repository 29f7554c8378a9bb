// The places around a request to a gateway where tests end the process.
#pragma once

#include "services/payment-adapter/domain/payment.h"

namespace bv::payment {

// Before the request is written down, before it is sent, before its answer is stored, and after.
enum class Moment { kBegin, kBegun, kAnswered, kStored };

// "payment.charge.begin" and so on, by bv::CrashPoint.
void PassCrashPoint(Operation operation, Moment moment);

}  // namespace bv::payment
