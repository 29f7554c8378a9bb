// What the gateway says about its API: the OpenAPI document, and a page that shows it.
#pragma once

#include <absl/status/statusor.h>

#include <map>
#include <string>
#include <string_view>

#include "libs/http/message.h"

namespace bv::gateway {

class Documents {
 public:
  // The document is part of the program. The page is that of swagger-ui-dist, of which `page_folder` holds
  // the files; when it is empty there is no page. NOT_FOUND names a file that is not there.
  static absl::StatusOr<Documents> Load(const std::string& page_folder);

  bool Has(std::string_view path) const { return by_path_.contains(path); }
  // True for a GET or HEAD of one of them; then `response` is the answer. From any thread.
  bool Answer(const http::Request& request, http::Response& response) const;

 private:
  struct Document {
    // "GET /docs"
    std::string_view route;
    std::string_view content_type;
    std::string body;
    std::string etag;
  };

  void Add(std::string_view path, std::string_view route, std::string_view content_type, std::string body);

  std::map<std::string, Document, std::less<>> by_path_;
};

}  // namespace bv::gateway
