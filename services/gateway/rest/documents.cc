#include "services/gateway/rest/documents.h"

#include <fstream>
#include <iterator>

#include "libs/base/digest.h"
#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "services/gateway/rest/conditional.h"
#include "services/gateway/rest/openapi.h"

namespace bv::gateway {
namespace {

constexpr std::string_view kPage = R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Bivouac API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="icon" href="/docs/favicon-32x32.png">
</head>
<body>
<div id="page"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/page.js"></script>
</body>
</html>
)";

// Tokens are kept while the page is open only.
constexpr std::string_view kScript = R"(SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#page",
  deepLinking: true,
  displayRequestDuration: true,
  docExpansion: "none",
  filter: true,
  persistAuthorization: false,
  tryItOutEnabled: true,
  validatorUrl: null,
});
)";

// The page asks nobody but this server, and no other page may hold it. Swagger UI writes attributes `style`.
constexpr std::string_view kPagePolicy =
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

struct PageFile {
  std::string_view path;
  std::string_view route;
  std::string_view content_type;
};
constexpr PageFile kPageFiles[] = {
    {"/docs/swagger-ui.css", "GET /docs/swagger-ui.css", "text/css; charset=utf-8"},
    {"/docs/swagger-ui-bundle.js", "GET /docs/swagger-ui-bundle.js", "text/javascript; charset=utf-8"},
    {"/docs/favicon-32x32.png", "GET /docs/favicon-32x32.png", "image/png"},
};

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!file || text.empty()) return NotFound("FILE_NOT_FOUND", Concat("cannot read ", path));
  return text;
}

}  // namespace

absl::StatusOr<Documents> Documents::Load(const std::string& page_folder) {
  Documents documents;
  documents.Add("/openapi.json", "GET /openapi.json", "application/json", std::string(kOpenApi));
  if (page_folder.empty()) return documents;
  for (const PageFile& file : kPageFiles) {
    ASSIGN_OR_RETURN(std::string text, ReadFile(Concat(page_folder, file.path.substr(file.path.rfind('/')))));
    documents.Add(file.path, file.route, file.content_type, std::move(text));
  }
  documents.Add("/docs", "GET /docs", "text/html; charset=utf-8", std::string(kPage));
  documents.Add("/docs/", "GET /docs", "text/html; charset=utf-8", std::string(kPage));
  documents.Add("/docs/page.js", "GET /docs/page.js", "text/javascript; charset=utf-8", std::string(kScript));
  return documents;
}

void Documents::Add(std::string_view path, std::string_view route, std::string_view content_type,
                    std::string body) {
  std::string etag = Sha256Hex(body).substr(0, 16);
  by_path_[std::string(path)] = {
      .route = route, .content_type = content_type, .body = std::move(body), .etag = std::move(etag)};
}

bool Documents::Answer(const http::Request& request, http::Response& response) const {
  const auto found = by_path_.find(request.path);
  if (found == by_path_.end() || (request.method != "GET" && request.method != "HEAD")) return false;
  const Document& document = found->second;
  response.route = document.route;
  response.AddHeader("Content-Type", document.content_type);
  // A new version of the program is seen at once, and costs a question each time.
  response.AddHeader("Cache-Control", "no-cache");
  response.AddHeader("X-Content-Type-Options", "nosniff");
  if (request.path.starts_with("/docs")) {
    response.AddHeader("Content-Security-Policy", kPagePolicy);
    response.AddHeader("Referrer-Policy", "no-referrer");
  }
  response.body = document.body;
  response.etag = document.etag;
  if (!CheckSeen(request, response).ok()) {
    response.status = 412;
    response.body.clear();
  }
  return true;
}

}  // namespace bv::gateway
