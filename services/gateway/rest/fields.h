// Sparse answers: `?fields=productId,variants.sku` (a google.protobuf.FieldMask in the names of JSON).
#pragma once

#include <absl/status/statusor.h>
#include <google/protobuf/descriptor.h>

#include <map>
#include <string>
#include <string_view>

namespace bv::gateway {

// The parameter's name, which no request message has for a field (checked at start).
constexpr std::string_view kFieldsParameter = "fields";

// Works on what libs/json has written, since an amount is written with a currency that may not be selected.
class FieldSelection {
 public:
  // At most 100 names, of at most 8 parts each, of fields of `answer`; a name through a repeated field means
  // each element. INVALID_ARGUMENT, field "fields": reason UNKNOWN_FIELD names the one that `answer` does not
  // have, INVALID_VALUE for none or too many.
  static absl::StatusOr<FieldSelection> Parse(std::string_view text,
                                              const google::protobuf::Descriptor& answer);

  // Takes out of `json`, an object as libs/json writes it, whatever is not selected; the rest keeps its
  // order.
  void Apply(std::string& json) const;

 private:
  // Without children, all of the value.
  struct Node {
    std::map<std::string, Node, std::less<>> children;
  };
  class Copier;

  Node root_;
};

}  // namespace bv::gateway
