#include "libs/soap/soap.h"

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>

#include <algorithm>
#include <pugixml.hpp>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"

namespace bv::soap {
namespace {

constexpr std::string_view kEnvelopeNs = "http://schemas.xmlsoap.org/soap/envelope/";
constexpr std::string_view kXmlNs = "http://www.w3.org/XML/1998/namespace";

absl::Status Refuse(std::string_view reason, std::string_view message) {
  return Error(absl::StatusCode::kInvalidArgument, reason, message);
}

// "a:b" → "a", "b"; "b" → "", "b".
std::pair<std::string_view, std::string_view> SplitName(std::string_view qualified) {
  const std::size_t colon = qualified.find(':');
  if (colon == std::string_view::npos) return {{}, qualified};
  return {qualified.substr(0, colon), qualified.substr(colon + 1)};
}

// The namespace that `prefix` stands for at `node`; absent when nothing declares it.
std::optional<std::string_view> NamespaceOf(pugi::xml_node node, std::string_view prefix) {
  if (prefix == "xml") return kXmlNs;
  const std::string declaration = prefix.empty() ? "xmlns" : Concat("xmlns:", prefix);
  for (; node; node = node.parent()) {
    const pugi::xml_attribute found = node.attribute(declaration.c_str());
    if (found) return std::string_view(found.value());
  }
  if (prefix.empty()) return std::string_view();
  return std::nullopt;
}

absl::StatusOr<Element> Read(pugi::xml_node node, int depth_left) {
  if (depth_left == 0) return Refuse("XML_TOO_DEEP", "the elements lie too deep in each other");
  const auto [prefix, name] = SplitName(node.name());
  const std::optional<std::string_view> ns = NamespaceOf(node, prefix);
  if (!ns) return Refuse("MALFORMED_XML", Concat("nothing declares the prefix ", prefix));
  Element element{.ns = std::string(*ns), .name = std::string(name)};
  for (const pugi::xml_node child : node.children()) {
    if (child.type() == pugi::node_element) {
      ASSIGN_OR_RETURN(Element read, Read(child, depth_left - 1));
      element.children.push_back(std::move(read));
    } else if (child.type() == pugi::node_pcdata || child.type() == pugi::node_cdata) {
      element.text += child.value();
    }
  }
  absl::StripAsciiWhitespace(&element.text);
  return element;
}

bool IsEnvelopeElement(pugi::xml_node node, std::string_view wanted) {
  const auto [prefix, name] = SplitName(node.name());
  return name == wanted && NamespaceOf(node, prefix) == kEnvelopeNs;
}

// A block of the header that the sender wants understood or refused (SOAP 1.1, 4.2.3).
bool MustBeUnderstood(pugi::xml_node block) {
  return std::ranges::any_of(block.attributes(), [&](const pugi::xml_attribute& attribute) {
    const auto [prefix, name] = SplitName(attribute.name());
    return name == "mustUnderstand" && !prefix.empty() && NamespaceOf(block, prefix) == kEnvelopeNs &&
           std::string_view(attribute.value()) != "0";
  });
}

pugi::xml_node OnlyElement(pugi::xml_node parent) {
  pugi::xml_node found;
  for (const pugi::xml_node child : parent.children()) {
    if (child.type() != pugi::node_element) continue;
    if (found) return {};
    found = child;
  }
  return found;
}

absl::StatusOr<pugi::xml_node> FindBody(pugi::xml_node envelope) {
  if (!IsEnvelopeElement(envelope, "Envelope"))
    return Refuse("NOT_AN_ENVELOPE", "the document is no SOAP 1.1 envelope");
  pugi::xml_node body;
  for (const pugi::xml_node part : envelope.children()) {
    if (part.type() != pugi::node_element) continue;
    if (IsEnvelopeElement(part, "Header")) {
      for (const pugi::xml_node block : part.children()) {
        if (MustBeUnderstood(block))
          return Refuse("MUST_UNDERSTAND", Concat("the header ", block.name(), " is not understood here"));
      }
    } else if (IsEnvelopeElement(part, "Body") && !body) {
      body = part;
    } else {
      return Refuse("NOT_AN_ENVELOPE", Concat("the envelope holds ", part.name()));
    }
  }
  if (!body) return Refuse("NOT_AN_ENVELOPE", "the envelope has no body");
  return body;
}

// Depth costs no stack: neither here nor in pugixml, which parses in a loop.
bool IsDeeperThan(pugi::xml_node root, int depth_max) {
  int depth = 0;
  for (pugi::xml_node node = root; node;) {
    if (depth > depth_max) return true;
    if (node.first_child()) {
      node = node.first_child();
      ++depth;
      continue;
    }
    while (node && !node.next_sibling()) {
      node = node.parent();
      --depth;
    }
    if (node) node = node.next_sibling();
  }
  return false;
}

void AppendEscaped(std::string_view text, std::string& out) {
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        // XML 1.0 has no way to write the other control characters.
        out += static_cast<unsigned char>(c) < ' ' && c != '\t' && c != '\n' ? ' ' : c;
    }
  }
}

// Each element declares its namespace where its parent's differs, as the default one.
void Append(const Element& element, std::string_view parent_ns, std::string& out) {
  out += Concat("<", element.name);
  if (element.ns != parent_ns) {
    out += " xmlns=\"";
    AppendEscaped(element.ns, out);
    out += '"';
  }
  out += '>';
  AppendEscaped(element.text, out);
  for (const Element& child : element.children) Append(child, element.ns, out);
  out += Concat("</", element.name, ">");
}

}  // namespace

const Element* Element::Find(std::string_view child) const {
  const auto found =
      std::ranges::find_if(children, [&](const Element& e) { return e.ns == ns && e.name == child; });
  return found == children.end() ? nullptr : &*found;
}

std::string_view Element::TextOf(std::string_view child) const {
  const Element* found = Find(child);
  return found ? std::string_view(found->text) : std::string_view();
}

void Element::Add(std::string_view child, std::string_view child_text) {
  children.push_back({.ns = ns, .name = std::string(child), .text = std::string(child_text)});
}

absl::StatusOr<Element> ReadEnvelope(std::string_view text, const Limits& limits) {
  if (text.size() > limits.bytes_max) return Refuse("XML_TOO_LARGE", "the document is too large");
  pugi::xml_document document;
  // With a node for a DOCTYPE, so that it is seen. pugixml itself resolves no entity but the five of XML.
  const pugi::xml_parse_result parsed = document.load_buffer(
      text.data(), text.size(), pugi::parse_default | pugi::parse_doctype, pugi::encoding_utf8);
  for (const pugi::xml_node node : document.children()) {
    if (node.type() == pugi::node_doctype)
      return Refuse("DOCTYPE_REFUSED", "a document type declaration is not taken");
  }
  if (!parsed) {
    return Refuse("MALFORMED_XML", Concat("the document is no XML: ", parsed.description(), " at byte ",
                                          static_cast<std::int64_t>(parsed.offset)));
  }
  if (IsDeeperThan(document, limits.depth_max))
    return Refuse("XML_TOO_DEEP", "the elements lie too deep in each other");
  ASSIGN_OR_RETURN(const pugi::xml_node body, FindBody(OnlyElement(document)));
  const pugi::xml_node content = OnlyElement(body);
  if (!content) return Refuse("NOT_AN_ENVELOPE", "the body does not hold one element");
  return Read(content, limits.depth_max);
}

std::string WriteEnvelope(const Element& body) {
  std::string out = Concat(R"(<?xml version="1.0" encoding="UTF-8"?><soap:Envelope xmlns:soap=")",
                           kEnvelopeNs, R"("><soap:Body>)");
  Append(body, {}, out);
  out += "</soap:Body></soap:Envelope>";
  return out;
}

std::optional<Fault> FaultOf(const Element& body) {
  if (body.ns != kEnvelopeNs || body.name != "Fault") return std::nullopt;
  Fault fault;
  // These two have no namespace (SOAP 1.1, 4.4); some senders give them the envelope's.
  for (const Element& part : body.children) {
    if (part.name == "faultcode") fault.code = std::string(SplitName(part.text).second);
    if (part.name == "faultstring") fault.text = part.text;
  }
  return fault;
}

std::string WriteFault(const Fault& fault) {
  std::string out = Concat(R"(<?xml version="1.0" encoding="UTF-8"?><soap:Envelope xmlns:soap=")",
                           kEnvelopeNs, R"("><soap:Body><soap:Fault><faultcode>soap:)");
  AppendEscaped(fault.code, out);
  out += "</faultcode><faultstring>";
  AppendEscaped(fault.text, out);
  out += "</faultstring></soap:Fault></soap:Body></soap:Envelope>";
  return out;
}

}  // namespace bv::soap
