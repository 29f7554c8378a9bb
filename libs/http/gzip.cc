#include "libs/http/gzip.h"

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_split.h>
#include <zlib.h>

#include <array>
#include <boost/algorithm/string/predicate.hpp>

#include "libs/base/strings.h"

namespace bv::http {
namespace {

// The fastest: JSON shrinks to a quarter already, and the processors have other work.
constexpr int kLevel = 1;
// Of zlib: the largest window, with gzip's header and trailer.
constexpr int kGzipWindow = 15 + 16;
constexpr int kMemoryLevel = 8;

// Keeps its 256 KB between the answers of a thread.
class Deflater {
 public:
  Deflater()
      : ready_(deflateInit2(&stream_, kLevel, Z_DEFLATED, kGzipWindow, kMemoryLevel, Z_DEFAULT_STRATEGY) ==
               Z_OK) {}
  ~Deflater() {
    if (ready_) deflateEnd(&stream_);
  }
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;

  // False when there is no memory for it.
  bool Run(std::string& text) {
    if (!ready_ || deflateReset(&stream_) != Z_OK) return false;
    std::string packed(deflateBound(&stream_, text.size()), '\0');
    stream_.next_in = reinterpret_cast<Bytef*>(text.data());
    stream_.avail_in = static_cast<uInt>(text.size());
    stream_.next_out = reinterpret_cast<Bytef*>(packed.data());
    stream_.avail_out = static_cast<uInt>(packed.size());
    if (deflate(&stream_, Z_FINISH) != Z_STREAM_END) return false;
    packed.resize(stream_.total_out);
    text = std::move(packed);
    return true;
  }

 private:
  z_stream stream_{};
  const bool ready_;
};

// In lower case; empty when there is none.
std::string HeaderOf(const Response& response, std::string_view name) {
  for (const absl::string_view line : absl::StrSplit(Absl(response.header_lines()), "\r\n")) {
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(line, absl::MaxSplits(':', 1));
    if (IsSameName(Std(parts.first), name)) return absl::AsciiStrToLower(parts.second);
  }
  return {};
}

// Pictures and fonts are compressed as they are.
bool IsText(std::string_view content_type) {
  constexpr std::array<std::string_view, 5> kText = {"text/", "json", "javascript", "xml", "yaml"};
  return std::ranges::any_of(kText, [content_type](std::string_view part) {
    return content_type.find(part) != std::string_view::npos;
  });
}

}  // namespace

bool AcceptsGzip(std::string_view accept_encoding) {
  bool any = false;
  for (const absl::string_view item : absl::StrSplit(Absl(accept_encoding), ',')) {
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(item, absl::MaxSplits(';', 1));
    const absl::string_view coding = absl::StripAsciiWhitespace(parts.first);
    const absl::string_view weight = absl::StripAsciiWhitespace(parts.second);
    double q = 1;
    const bool wanted = weight.empty() || (absl::StartsWithIgnoreCase(weight, "q=") &&
                                           absl::SimpleAtod(weight.substr(2), &q) && q > 0);
    if (absl::EqualsIgnoreCase(coding, "gzip") || absl::EqualsIgnoreCase(coding, "x-gzip")) return wanted;
    if (coding == "*") any = wanted;
  }
  return any;
}

void Compress(const Request& request, Response& response) {
  if (response.body.size() <= kGzipBytesMin || HasNoBody(response.status) || response.take_over ||
      !IsText(HeaderOf(response, "Content-Type")) || !HeaderOf(response, "Content-Encoding").empty()) {
    return;
  }
  response.Vary("Accept-Encoding");
  if (!AcceptsGzip(request.Find("Accept-Encoding"))) return;
  thread_local Deflater deflater;
  if (!deflater.Run(response.body)) return;
  response.AddHeader("Content-Encoding", "gzip");
  if (!response.etag.empty()) response.etag += "-gzip";
}

}  // namespace bv::http
