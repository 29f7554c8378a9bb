#include "libs/testing/mail_sink.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "libs/base/id.h"
#include "libs/base/strings.h"
#include "libs/testing/testing.h"

namespace bv::testing {

MailSink::MailSink() : directory_(Environment("BV_MAILS_DIRECTORY")) {}

std::string MailSink::NewAddress(std::string_view beginning) const {
  return Concat(beginning, "-", UuidToBase32(NewUuid()), "@example.com");
}

std::vector<std::string> MailSink::MailsTo(const std::string& address) const {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
    if (entry.path().extension() == ".eml") files.push_back(entry.path());
  }
  // Their names begin with the time.
  std::ranges::sort(files);
  std::vector<std::string> mails;
  for (const std::filesystem::path& file : files) {
    std::ifstream stream(file, std::ios::binary);
    std::ostringstream text;
    text << stream.rdbuf();
    if (text.str().find(Concat("X-Envelope-To: ", address, "\r\n")) != std::string::npos)
      mails.push_back(text.str());
  }
  return mails;
}

}  // namespace bv::testing
