#include "services/payment-adapter/providers/crash_points.h"

#include "libs/base/crash_point.h"

namespace bv::payment {
namespace {

void OfCharge(Moment moment) {
  switch (moment) {
    case Moment::kBegin:
      return CrashPoint("payment.charge.begin");
    case Moment::kBegun:
      return CrashPoint("payment.charge.begun");
    case Moment::kAnswered:
      return CrashPoint("payment.charge.answered");
    case Moment::kStored:
      return CrashPoint("payment.charge.stored");
  }
}

void OfLookUp(Moment moment) {
  switch (moment) {
    case Moment::kBegin:
      return CrashPoint("payment.lookup.begin");
    case Moment::kBegun:
      return CrashPoint("payment.lookup.begun");
    case Moment::kAnswered:
      return CrashPoint("payment.lookup.answered");
    case Moment::kStored:
      return CrashPoint("payment.lookup.stored");
  }
}

void OfRefund(Moment moment) {
  switch (moment) {
    case Moment::kBegin:
      return CrashPoint("payment.refund.begin");
    case Moment::kBegun:
      return CrashPoint("payment.refund.begun");
    case Moment::kAnswered:
      return CrashPoint("payment.refund.answered");
    case Moment::kStored:
      return CrashPoint("payment.refund.stored");
  }
}

}  // namespace

void PassCrashPoint(Operation operation, Moment moment) {
  switch (operation) {
    case Operation::kCharge:
      return OfCharge(moment);
    case Operation::kLookUp:
      return OfLookUp(moment);
    case Operation::kRefund:
      return OfRefund(moment);
  }
}

}  // namespace bv::payment
