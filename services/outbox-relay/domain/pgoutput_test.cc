#include "services/outbox-relay/domain/pgoutput.h"

#include <gtest/gtest.h>

#include <random>

namespace bv::relay {
namespace {

// Writes messages as the server does.
class Writer {
 public:
  template <class T>
  Writer& Integer(T value) {
    for (int shift = 8 * (static_cast<int>(sizeof(T)) - 1); shift >= 0; shift -= 8) {
      bytes_.push_back(static_cast<char>(static_cast<std::uint64_t>(value) >> shift));
    }
    return *this;
  }
  Writer& Kind(char kind) { return Integer(static_cast<std::uint8_t>(kind)); }
  Writer& Text(std::string_view text) {
    bytes_ += text;
    bytes_.push_back('\0');
    return *this;
  }
  Writer& Value(std::string_view value) {
    Kind('t').Integer(static_cast<std::uint32_t>(value.size()));
    bytes_ += value;
    return *this;
  }
  Writer& Null() { return Kind('n'); }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

using U8 = std::uint8_t;
using U16 = std::uint16_t;
using U32 = std::uint32_t;
using U64 = std::uint64_t;

std::string BeginBytes() {
  return Writer()
      .Kind('B')
      .Integer<U64>(0x16B374D848)
      .Integer<U64>(848'707'200'000'001)
      .Integer<U32>(742)
      .bytes();
}
std::string CommitBytes() {
  return Writer()
      .Kind('C')
      .Integer<U8>(0)
      .Integer<U64>(5)
      .Integer<U64>(77)
      .Integer<U64>(848'707'200'000'001)
      .bytes();
}
std::string RelationBytes() {
  return Writer()
      .Kind('R')
      .Integer<U32>(16'400)
      .Text("outbox")
      .Text("event")
      .Kind('d')
      .Integer<U16>(2)
      .Integer<U8>(1)
      .Text("tenant_id")
      .Integer<U32>(25)
      .Integer<U32>(0xFFFFFFFF)
      .Integer<U8>(0)
      .Text("payload")
      .Integer<U32>(25)
      .Integer<U32>(0xFFFFFFFF)
      .bytes();
}
std::string InsertBytes() {
  return Writer()
      .Kind('I')
      .Integer<U32>(16'400)
      .Kind('N')
      .Integer<U16>(3)
      .Value("demo")
      .Null()
      .Value("")
      .bytes();
}

TEST(Pgoutput, ReadsATransaction) {
  const auto begin = DecodeMessage(BeginBytes());
  ASSERT_TRUE(begin.ok()) << begin.status();
  EXPECT_EQ(std::get<Begin>(*begin).commit_lsn, 0x16B374D848u);
  EXPECT_EQ(std::get<Begin>(*begin).commit_time, absl::FromUnixMicros(1'795'392'000'000'001));

  const auto relation = DecodeMessage(RelationBytes());
  ASSERT_TRUE(relation.ok()) << relation.status();
  EXPECT_EQ(std::get<Relation>(*relation).id, 16'400u);
  EXPECT_EQ(std::get<Relation>(*relation).schema, "outbox");
  EXPECT_EQ(std::get<Relation>(*relation).name, "event");
  EXPECT_EQ(std::get<Relation>(*relation).columns, (std::vector<std::string>{"tenant_id", "payload"}));

  const std::string bytes = InsertBytes();
  const auto insert = DecodeMessage(bytes);
  ASSERT_TRUE(insert.ok()) << insert.status();
  const auto& values = std::get<Insert>(*insert).values;
  ASSERT_EQ(values.size(), 3u);
  EXPECT_EQ(values[0], "demo");
  EXPECT_FALSE(values[1].has_value());
  EXPECT_EQ(values[2], "");

  const auto commit = DecodeMessage(CommitBytes());
  ASSERT_TRUE(commit.ok()) << commit.status();
  EXPECT_EQ(std::get<Commit>(*commit).end_lsn, 77u);
}

TEST(Pgoutput, SkipsWhatIsNotAboutInserts) {
  for (const char kind : std::string("OYUDTM")) {
    const auto message = DecodeMessage(std::string(1, kind) + "anything");
    ASSERT_TRUE(message.ok()) << message.status();
    EXPECT_TRUE(std::holds_alternative<Other>(*message));
  }
}

TEST(Pgoutput, ReadsFrames) {
  const std::string bytes =
      Writer().Kind('w').Integer<U64>(7).Integer<U64>(9).Integer<U64>(0).Kind('C').bytes();
  const auto data = DecodeFrame(bytes);
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_EQ(std::get<LogData>(*data).start, 7u);
  EXPECT_EQ(std::get<LogData>(*data).message, "C");

  const auto keepalive =
      DecodeFrame(Writer().Kind('k').Integer<U64>(11).Integer<U64>(0).Integer<U8>(1).bytes());
  ASSERT_TRUE(keepalive.ok()) << keepalive.status();
  EXPECT_EQ(std::get<Keepalive>(*keepalive).end, 11u);
  EXPECT_TRUE(std::get<Keepalive>(*keepalive).reply_requested);
}

TEST(Pgoutput, WritesTheStatusUpdate) {
  const std::string update =
      EncodeStatusUpdate(0x0102, absl::FromUnixSeconds(946'684'800) + absl::Microseconds(3));
  ASSERT_EQ(update.size(), 34u);
  EXPECT_EQ(update[0], 'r');
  for (const std::size_t field : {1u, 9u, 17u})
    EXPECT_EQ(update.substr(field, 8), std::string("\0\0\0\0\0\0\1\2", 8));
  EXPECT_EQ(update.substr(25, 8), std::string("\0\0\0\0\0\0\0\3", 8));
  EXPECT_EQ(update[33], '\0');
}

TEST(Pgoutput, FormatsPositionsAsPostgresDoes) {
  EXPECT_EQ(FormatLsn(0x16B374D848), "16/B374D848");
}

TEST(Pgoutput, RefusesEveryTruncation) {
  for (const std::string& whole : {BeginBytes(), CommitBytes(), RelationBytes(), InsertBytes()}) {
    for (std::size_t size = 0; size < whole.size(); ++size) {
      // A copy of its own, so that a sanitizer sees a read behind the end.
      const std::string cut(whole, 0, size);
      EXPECT_FALSE(DecodeMessage(cut).ok()) << whole[0] << " cut to " << size;
    }
    EXPECT_FALSE(DecodeMessage(whole + "x").ok()) << "bytes left over after " << whole[0];
  }
}

TEST(Pgoutput, RefusesLyingLengths) {
  EXPECT_FALSE(
      DecodeMessage(Writer().Kind('I').Integer<U32>(1).Kind('N').Integer<U16>(65'535).Null().bytes()).ok());
  EXPECT_FALSE(DecodeMessage(Writer()
                                 .Kind('I')
                                 .Integer<U32>(1)
                                 .Kind('N')
                                 .Integer<U16>(1)
                                 .Kind('t')
                                 .Integer<U32>(0xFFFFFFFF)
                                 .bytes())
                   .ok());
  EXPECT_FALSE(DecodeMessage(Writer().Kind('I').Integer<U32>(1).Kind('K').Integer<U16>(0).bytes()).ok());
  EXPECT_FALSE(
      DecodeMessage(Writer().Kind('I').Integer<U32>(1).Kind('N').Integer<U16>(1).Kind('u').bytes()).ok());
  EXPECT_FALSE(
      DecodeMessage(
          Writer().Kind('R').Integer<U32>(1).Text("a").Text("b").Kind('d').Integer<U16>(65'535).bytes())
          .ok());
  EXPECT_FALSE(DecodeMessage("").ok());
  EXPECT_FALSE(DecodeMessage("?").ok());
  EXPECT_FALSE(DecodeFrame("").ok());
  EXPECT_FALSE(DecodeFrame("?").ok());
  EXPECT_FALSE(DecodeFrame("w").ok());
  EXPECT_FALSE(DecodeFrame("k1234567").ok());
}

// Valid messages with bytes changed by chance, and noise: never a read outside, never more than the message's
// own size in memory.
TEST(Pgoutput, SurvivesNoise) {
  std::mt19937 random(11);
  const std::vector<std::string> seeds = {BeginBytes(), CommitBytes(), RelationBytes(), InsertBytes()};
  for (int i = 0; i < 100'000; ++i) {
    std::string bytes = seeds[random() % seeds.size()];
    for (unsigned changes = 1 + random() % 4; changes > 0; --changes) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    if (random() % 4 == 0) bytes.resize(random() % 64, static_cast<char>(random()));
    const auto message = DecodeMessage(bytes);
    if (message.ok() && std::holds_alternative<Insert>(*message)) {
      std::size_t total = 0;
      for (const auto& value : std::get<Insert>(*message).values) total += value.value_or("").size();
      ASSERT_LE(total, bytes.size());
    }
    static_cast<void>(DecodeFrame(bytes));
  }
}

}  // namespace
}  // namespace bv::relay
