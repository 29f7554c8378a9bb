// SOAP 1.1 envelopes (https://www.w3.org/TR/2000/NOTE-SOAP-20000508/) read from strangers, and written. Names
// are compared by namespace, whatever prefixes the sender chose. Any thread.
#pragma once

#include <absl/status/statusor.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bv::soap {

inline constexpr std::string_view kContentType = "text/xml; charset=utf-8";

struct Limits {
  std::size_t bytes_max = 64 * 1024;
  // Of elements in each other, the envelope included.
  int depth_max = 16;
};

struct Element {
  std::string ns;
  std::string name;
  // What stands between its tags, without that of its children; blanks at both ends cut off.
  std::string text;
  std::vector<Element> children;

  // The first child of this name in the element's own namespace; null when there is none.
  const Element* Find(std::string_view child) const;
  // Its text; empty when there is none.
  std::string_view TextOf(std::string_view child) const;
  // Appends a child in the element's own namespace.
  void Add(std::string_view child, std::string_view child_text);
};

// The one element of the envelope's body. INVALID_ARGUMENT, reason XML_TOO_LARGE, MALFORMED_XML,
// DOCTYPE_REFUSED (there is no honest use of one here, and it is the door of external entities and entity
// bombs), XML_TOO_DEEP, NOT_AN_ENVELOPE, or MUST_UNDERSTAND for a header block that has to be understood.
absl::StatusOr<Element> ReadEnvelope(std::string_view text, const Limits& limits);

// The envelope around `body`.
std::string WriteEnvelope(const Element& body);

struct Fault {
  // Without its prefix: "Client", "Server", "VersionMismatch" or "MustUnderstand", perhaps with a suffix
  // after a dot.
  std::string code;
  std::string text;
};

// Absent when the element of a body is no fault.
std::optional<Fault> FaultOf(const Element& body);
std::string WriteFault(const Fault& fault);

}  // namespace bv::soap
