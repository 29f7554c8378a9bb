// What the stack's mail relay has taken: it delivers nothing, and puts each mail into a file.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace bv::testing {

// Named by BV_SMTP_ADDRESS and BV_MAILS_DIRECTORY. Recipients whose address begins with "bounce", "denied" or
// "busy" are refused (tools/bvtool/mail_sink.py).
class MailSink {
 public:
  MailSink();

  // That no other test has: "ada-01jd…@example.com".
  std::string NewAddress(std::string_view beginning) const;
  // As they came, the oldest first.
  std::vector<std::string> MailsTo(const std::string& address) const;

 private:
  std::string directory_;
};

}  // namespace bv::testing
