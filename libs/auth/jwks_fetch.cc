#include "libs/auth/jwks_fetch.h"

#include <absl/strings/str_cat.h>
#include <curl/curl.h>

#include <memory>

namespace bv::auth {
namespace {

constexpr std::size_t kBytesMax = 256 * 1024;

// Fewer bytes than came stop the transfer.
std::size_t Append(const char* bytes, std::size_t, std::size_t count, void* target) {
  auto& text = *static_cast<std::string*>(target);
  if (text.size() + count > kBytesMax) return 0;
  text.append(bytes, count);
  return count;
}

struct Cleanup {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
};

}  // namespace

absl::StatusOr<std::string> FetchJwks(const std::string& url, absl::Duration timeout) {
  const std::unique_ptr<CURL, Cleanup> curl(curl_easy_init());
  if (!curl) return absl::UnavailableError("libcurl has no memory");
  std::string body;
  const auto milliseconds = static_cast<long>(absl::ToInt64Milliseconds(timeout));
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl.get(), CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT_MS, milliseconds);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, &Append);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &body);
  const CURLcode code = curl_easy_perform(curl.get());
  if (code == CURLE_WRITE_ERROR) return absl::UnavailableError("the answer has more than 256 KiB");
  if (code != CURLE_OK) return absl::UnavailableError(curl_easy_strerror(code));
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  if (status != 200) return absl::UnavailableError(absl::StrCat("the answer has status ", status));
  return body;
}

}  // namespace bv::auth
