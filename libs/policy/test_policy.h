// A policy that answers what a test tells it, and notes what it was asked.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "libs/policy/policy.h"

namespace bv::policy {

// Thread safe. Allows everything until it is told otherwise.
class TestPolicy final : public Policy {
 public:
  void Answer(absl::Status answer) {
    const std::lock_guard lock(mutex_);
    answer_ = std::move(answer);
  }
  // "order.cancel order ord_1 owner=ada status=PENDING" for each question.
  std::vector<std::string> asked() const {
    const std::lock_guard lock(mutex_);
    return asked_;
  }

  async::Task<absl::Status> Check(Question question, const RequestContext&) override {
    const std::lock_guard lock(mutex_);
    std::string text = question.action + " " + question.resource_type + " " + question.resource_id;
    for (const auto& [name, value] : question.properties) text += " " + name + "=" + value;
    asked_.push_back(std::move(text));
    co_return answer_;
  }

 private:
  mutable std::mutex mutex_;
  absl::Status answer_;
  std::vector<std::string> asked_;
};

}  // namespace bv::policy
