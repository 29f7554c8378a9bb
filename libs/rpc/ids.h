// Lists of ids in requests.
#pragma once

#include <absl/status/statusor.h>
#include <google/protobuf/repeated_field.h>

#include <string>
#include <string_view>
#include <vector>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"

namespace bv::rpc {

// INVALID_ARGUMENT names `field` when there are none or more than `count_max`, and field[i] for one that is
// no id of this kind.
template <class Id>
absl::StatusOr<std::vector<Id>> IdsFromProto(const google::protobuf::RepeatedPtrField<std::string>& texts,
                                             int count_max, std::string_view field) {
  if (texts.empty() || texts.size() > count_max)
    return InvalidValue(field, Concat("must be 1 to ", count_max));
  std::vector<Id> ids;
  ids.reserve(static_cast<std::size_t>(texts.size()));
  for (int i = 0; i < texts.size(); ++i) {
    ASSIGN_OR_RETURN(Id id, Id::Parse(texts[i], Concat(field, "[", i, "]")));
    ids.push_back(std::move(id));
  }
  return ids;
}

}  // namespace bv::rpc
