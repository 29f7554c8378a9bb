// A JSON text read into one flat array, numbers kept as they were written; internal to libs/json.
#pragma once

#include <absl/status/status.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "libs/json/json.h"

namespace bv::json {

enum class Type : std::uint8_t { kNull, kBool, kNumber, kString, kObject, kArray };

struct Node {
  Type type;
  // In an object; decoded.
  std::string_view key;
  // A string decoded; a number, true or false as written.
  std::string_view text;
  // The index just past this node and all that is in it; its first child, if any, is the next node.
  std::uint32_t end;
};

class Document {
 public:
  Document() = default;
  // The nodes point into it.
  Document(const Document&) = delete;
  Document& operator=(const Document&) = delete;

  // INVALID_ARGUMENT, reason MALFORMED_JSON. Afterwards every text is valid UTF-8 without U+0000.
  absl::Status Read(std::string_view text, const ParseLimits& limits);

  // The root is node 0.
  const Node& operator[](std::uint32_t index) const { return nodes_[index]; }

 private:
  struct Handler;
  std::string buffer_;
  std::vector<Node> nodes_;
};

}  // namespace bv::json
