#include "libs/json/document.h"

#include <absl/strings/str_cat.h>
#include <rapidjson/error/en.h>
#include <rapidjson/reader.h>

#include "libs/base/error.h"
#include "libs/base/strings.h"
#include "libs/json/plan.h"

namespace bv::json {
namespace {

// rapidjson, checking a character of four bytes that the end cuts short, reads past the zero byte there.
constexpr std::size_t kBytesBehind = 4;

absl::Status Malformed(std::string_view problem, std::size_t offset) {
  return Error(absl::StatusCode::kInvalidArgument, "MALFORMED_JSON",
               Concat("not valid JSON at byte ", offset, ": ", problem));
}

}  // namespace

// Receives what rapidjson reads; returning false ends the reading.
struct Document::Handler {
  std::vector<Node>& nodes;
  const ParseLimits& limits;
  std::vector<std::uint32_t> open;
  std::string_view key;
  std::string problem;

  bool Add(Type type, std::string_view text = {}) {
    if (nodes.size() == limits.values_max) {
      problem = Concat("more than ", limits.values_max, " values");
      return false;
    }
    nodes.push_back(
        {.type = type, .key = key, .text = text, .end = static_cast<std::uint32_t>(nodes.size() + 1)});
    key = {};
    return true;
  }
  bool Open(Type type) {
    if (open.size() == static_cast<std::size_t>(limits.depth_max)) {
      problem = Concat("nested deeper than ", limits.depth_max, " levels");
      return false;
    }
    open.push_back(static_cast<std::uint32_t>(nodes.size()));
    return Add(type);
  }
  bool Close() {
    nodes[open.back()].end = static_cast<std::uint32_t>(nodes.size());
    open.pop_back();
    return true;
  }
  // An escaped lone surrogate passes rapidjson's own check, and PostgreSQL has no U+0000 in a text.
  bool Check(std::string_view text) {
    if (!IsUtf8(text)) problem = "a string that is not valid Unicode";
    if (text.find('\0') != std::string_view::npos) problem = "the character U+0000";
    return problem.empty();
  }

  bool Null() { return Add(Type::kNull); }
  bool Bool(bool value) { return Add(Type::kBool, value ? "true" : "false"); }
  bool RawNumber(const char* text, rapidjson::SizeType size, bool) {
    return Add(Type::kNumber, {text, size});
  }
  bool String(const char* text, rapidjson::SizeType size, bool) {
    return Check({text, size}) && Add(Type::kString, {text, size});
  }
  bool Key(const char* text, rapidjson::SizeType size, bool) {
    key = {text, size};
    return Check(key);
  }
  bool StartObject() { return Open(Type::kObject); }
  bool EndObject(rapidjson::SizeType) { return Close(); }
  bool StartArray() { return Open(Type::kArray); }
  bool EndArray(rapidjson::SizeType) { return Close(); }
  // Numbers stay texts, so these are never called.
  bool Int(int) { return false; }
  bool Uint(unsigned) { return false; }
  bool Int64(std::int64_t) { return false; }
  bool Uint64(std::uint64_t) { return false; }
  bool Double(double) { return false; }
};

absl::Status Document::Read(std::string_view text, const ParseLimits& limits) {
  // rapidjson takes a zero byte for the end.
  if (const std::size_t zero = text.find('\0'); zero != std::string_view::npos)
    return Malformed("a zero byte", zero);
  buffer_.reserve(text.size() + kBytesBehind);
  buffer_ = text;
  buffer_.append(kBytesBehind, '\0');
  nodes_.clear();
  Handler handler{.nodes = nodes_, .limits = limits};
  rapidjson::InsituStringStream stream(buffer_.data());
  rapidjson::Reader reader;
  // Iterative, so that depth costs no stack; in place, so that strings are not copied again.
  constexpr unsigned kFlags = rapidjson::kParseInsituFlag | rapidjson::kParseIterativeFlag |
                              rapidjson::kParseValidateEncodingFlag | rapidjson::kParseNumbersAsStringsFlag;
  const rapidjson::ParseResult result = reader.Parse<kFlags>(stream, handler);
  if (result.IsError()) {
    return Malformed(
        handler.problem.empty() ? rapidjson::GetParseError_En(result.Code()) : handler.problem.c_str(),
        result.Offset());
  }
  return absl::OkStatus();
}

}  // namespace bv::json
