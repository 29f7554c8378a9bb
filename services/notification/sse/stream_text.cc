#include "services/notification/sse/stream_text.h"

#include <absl/strings/str_cat.h>

#include "libs/base/strings.h"

namespace bv::notification {
namespace {

// A new line would end the field, so each line is a field of its own.
void AppendData(std::string_view text, std::string& out) {
  while (true) {
    const std::size_t line = text.find('\n');
    absl::StrAppend(&out, "data: ", Absl(text.substr(0, line)), "\n");
    if (line == std::string_view::npos) break;
    text = text.substr(line + 1);
  }
  out += '\n';
}

void AppendFields(std::string_view event, std::string_view id, std::string& out) {
  absl::StrAppend(&out, "id: ", Absl(id), "\nevent: ", Absl(event), "\n");
}

}  // namespace

std::string StreamHead(std::string_view allowed_origin) {
  std::string head =
      "HTTP/1.1 200 OK\r\n"
      "Content-Type: text/event-stream\r\n"
      "Cache-Control: no-store\r\n"
      "X-Accel-Buffering: no\r\n";
  if (!allowed_origin.empty())
    absl::StrAppend(&head, "Access-Control-Allow-Origin: ", Absl(allowed_origin), "\r\nVary: Origin\r\n");
  return head += "Connection: close\r\n\r\n";
}

void AppendRetry(absl::Duration retry, std::string& out) {
  absl::StrAppend(&out, "retry: ", absl::ToInt64Milliseconds(retry), "\n\n");
}

void AppendSnapshot(const std::vector<SaleEventPtr>& running, std::string_view id, std::string& out) {
  AppendFields("snapshot", id, out);
  std::string data = "{\"sales\":[";
  for (const SaleEventPtr& event : running) {
    if (event != running.front()) data += ',';
    data += event->text;
  }
  AppendData(data += "]}", out);
}

void AppendSale(const SaleEvent& event, std::string_view id, std::string& out) {
  AppendFields(event.kind == SaleEvent::Kind::kStarted ? "started" : "ended", id, out);
  AppendData(event.text, out);
}

std::string_view Heartbeat() {
  return ":\n\n";
}

}  // namespace bv::notification
