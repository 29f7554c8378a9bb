#include "libs/config/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>

namespace bv::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char kYaml[] = R"(
grpc:
  address: 127.0.0.1:7011  # where to serve
lanes:
  count: 2
  share: 0.5
  batch_max: 256
drain:
  timeout: 1m30s
  strict: true
kafka:
  brokers: [a:9092, b:9092]
otlp:
  endpoint: ""
postgres:
  password: ""
)";

struct Settings {
  std::string address, endpoint;
  int count = 0;
  std::int64_t batch_max = 0;
  double share = 0;
  absl::Duration timeout;
  bool strict = false;
  std::vector<std::string> brokers;
  Secret password;

  void Bind(Binder& b) {
    b.Text("grpc.address", address);
    b.Integer("lanes.count", count, {1, 64});
    b.Integer("lanes.batch_max", batch_max, {1, 4096});
    b.Number("lanes.share", share, {0, 1});
    b.Duration("drain.timeout", timeout, {absl::Seconds(1), absl::Minutes(5)});
    b.Flag("drain.strict", strict);
    b.TextList("kafka.brokers", brokers);
    b.Text("otlp.endpoint", endpoint, Presence::kOptional);
    b.Secret("postgres.password", password, Presence::kOptional);
  }
};

using Variables = std::map<std::string, std::string>;

Environment Of(Variables variables) {
  return [variables = std::move(variables)](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
}

absl::Status LoadInto(Settings& settings, const Variables& environment = {}, std::string_view yaml = kYaml,
                      std::string* printed = nullptr) {
  return Load(
      yaml, Of(environment), [&](Binder& b) { settings.Bind(b); }, printed);
}

std::string Problem(const Variables& environment, std::string_view yaml = kYaml) {
  Settings settings;
  const absl::Status status = LoadInto(settings, environment, yaml);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  return std::string(status.message());
}

// A file of the test's own, removed at its end.
class File {
 public:
  explicit File(const std::string& content) : path_(::testing::TempDir() + "/config_test_secret") {
    std::ofstream(path_) << content;
  }
  ~File() { std::remove(path_.c_str()); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

TEST(Config, ReadsEveryTypeFromTheFile) {
  Settings settings;
  ASSERT_TRUE(LoadInto(settings).ok());
  EXPECT_EQ(settings.address, "127.0.0.1:7011");
  EXPECT_EQ(settings.count, 2);
  EXPECT_EQ(settings.batch_max, 256);
  EXPECT_EQ(settings.share, 0.5);
  EXPECT_EQ(settings.timeout, absl::Seconds(90));
  EXPECT_TRUE(settings.strict);
  EXPECT_THAT(settings.brokers, ElementsAre("a:9092", "b:9092"));
  EXPECT_EQ(settings.endpoint, "");
  EXPECT_TRUE(settings.password.empty());
}

TEST(Config, TheEnvironmentOverridesEveryType) {
  Settings settings;
  const Variables environment{{"BV_GRPC_ADDRESS", "0.0.0.0:1"}, {"BV_LANES_COUNT", "4"},
                              {"BV_LANES_BATCH_MAX", "1"},      {"BV_LANES_SHARE", "1"},
                              {"BV_DRAIN_TIMEOUT", "250s"},     {"BV_DRAIN_STRICT", "false"},
                              {"BV_KAFKA_BROKERS", "x:1,y:2"},  {"BV_OTLP_ENDPOINT", "http://c:4318"}};
  ASSERT_TRUE(LoadInto(settings, environment).ok());
  EXPECT_EQ(settings.address, "0.0.0.0:1");
  EXPECT_EQ(settings.count, 4);
  EXPECT_EQ(settings.batch_max, 1);
  EXPECT_EQ(settings.share, 1);
  EXPECT_EQ(settings.timeout, absl::Seconds(250));
  EXPECT_FALSE(settings.strict);
  EXPECT_THAT(settings.brokers, ElementsAre("x:1", "y:2"));
  EXPECT_EQ(settings.endpoint, "http://c:4318");
}

TEST(Config, AnEmptyListIsAList) {
  Settings settings;
  ASSERT_TRUE(LoadInto(settings, {{"BV_KAFKA_BROKERS", ""}}).ok());
  EXPECT_THAT(settings.brokers, IsEmpty());
}

TEST(Config, NamesTheKeyAndTheBounds) {
  EXPECT_EQ(Problem({{"BV_LANES_COUNT", "65"}}),
            "lanes.count: must be 1 to 64, is 65 (environment: BV_LANES_COUNT)");
  EXPECT_EQ(Problem({{"BV_LANES_COUNT", "0"}}),
            "lanes.count: must be 1 to 64, is 0 (environment: BV_LANES_COUNT)");
  EXPECT_EQ(Problem({{"BV_LANES_SHARE", "1.01"}}),
            "lanes.share: must be 0 to 1, is 1.01 (environment: BV_LANES_SHARE)");
  EXPECT_EQ(Problem({{"BV_DRAIN_TIMEOUT", "0"}}),
            "drain.timeout: must be 1s to 5m, is 0 (environment: BV_DRAIN_TIMEOUT)");
}

TEST(Config, RefusesAnotherType) {
  for (const char* value : {"", "two", "2.5", "2s", "0x2", "99999999999999999999"}) {
    EXPECT_THAT(Problem({{"BV_LANES_COUNT", value}}), HasSubstr("must be a whole number")) << value;
  }
  for (const char* value : {"", "half", "1,5"})
    EXPECT_THAT(Problem({{"BV_LANES_SHARE", value}}), HasSubstr("must be a number")) << value;
  EXPECT_THAT(Problem({{"BV_LANES_SHARE", "nan"}}), HasSubstr("must be 0 to 1"));
  for (const char* value : {"", "10", "soon", "1 s"})
    EXPECT_THAT(Problem({{"BV_DRAIN_TIMEOUT", value}}), HasSubstr("must be a duration")) << value;
  EXPECT_THAT(Problem({{"BV_DRAIN_TIMEOUT", "inf"}}), HasSubstr("must be 1s to 5m"));
  for (const char* value : {"", "yes", "1", "True"})
    EXPECT_THAT(Problem({{"BV_DRAIN_STRICT", value}}), HasSubstr("must be true or false")) << value;
  EXPECT_THAT(Problem({{"BV_GRPC_ADDRESS", ""}}), HasSubstr("grpc.address: must not be empty"));
}

TEST(Config, ReportsAllProblemsAtOnce) {
  const std::string problems = Problem({{"BV_LANES_COUNT", "0"}}, R"(
grpc: {address: [a, b], adress: c}
lanes: {count: 2, share: many, batch_max: 1}
drain: {timeout: 1s}
kafka: {brokers: a}
otlp: {endpoint: ""}
postgres: {password: hunter2}
)");
  EXPECT_EQ(std::ranges::count(problems, '\n'), 6);
  EXPECT_THAT(problems, HasSubstr("grpc.address: must be one value, not a list"));
  EXPECT_THAT(problems, HasSubstr("grpc.adress: is not a setting of this service"));
  EXPECT_THAT(problems, HasSubstr("lanes.count: must be 1 to 64, is 0"));
  EXPECT_THAT(problems, HasSubstr("lanes.share: must be a number"));
  EXPECT_THAT(problems, HasSubstr("drain.strict: missing in the settings file"));
  EXPECT_THAT(problems, HasSubstr("kafka.brokers: must be a list"));
  EXPECT_THAT(problems, HasSubstr("postgres.password: is a secret"));
  EXPECT_THAT(problems, Not(HasSubstr("hunter2")));
}

TEST(Config, AVariableDoesNotStandInForAMissingKey) {
  EXPECT_THAT(Problem({{"BV_GRPC_ADDRESS", "a:1"}}, "lanes: {count: 1}"),
              HasSubstr("grpc.address: missing in the settings file"));
}

TEST(Config, RefusesAFileThatIsNotSettings) {
  EXPECT_THAT(Problem({}, "a: [1"), HasSubstr("settings file: "));
  for (const char* yaml : {"", "just words", "[a, b]"})
    EXPECT_EQ(Problem({}, yaml), "settings file: must be keys and values") << yaml;
}

TEST(Secret, ComesFromTheEnvironment) {
  Settings settings;
  ASSERT_TRUE(LoadInto(settings, {{"BV_POSTGRES_PASSWORD", "hunter2\n"}}).ok());
  EXPECT_EQ(settings.password.Reveal(), "hunter2\n");
}

TEST(Secret, ComesFromAFile) {
  const File file("hunter2\n");
  Settings settings;
  ASSERT_TRUE(LoadInto(settings, {{"BV_POSTGRES_PASSWORD_FILE", file.path()}}).ok());
  EXPECT_EQ(settings.password.Reveal(), "hunter2") << "without the line's end";
}

TEST(Secret, TheFileMustBeThere) {
  EXPECT_THAT(Problem({{"BV_POSTGRES_PASSWORD_FILE", "/nowhere/password"}}),
              HasSubstr("cannot read the file /nowhere/password"));
}

TEST(Secret, MayBeRequired) {
  Secret secret;
  const absl::Status status = Load("jwt: {key: }", Of({}), [&](Binder& b) { b.Secret("jwt.key", secret); });
  EXPECT_THAT(std::string(status.message()), HasSubstr("is required; set BV_JWT_KEY or BV_JWT_KEY_FILE"));
}

TEST(Print, ShowsWhatIsInEffectAndHidesSecrets) {
  Settings settings;
  std::string printed;
  ASSERT_TRUE(
      LoadInto(settings, {{"BV_LANES_COUNT", "4"}, {"BV_POSTGRES_PASSWORD", "hunter2"}}, kYaml, &printed)
          .ok());
  EXPECT_THAT(printed, HasSubstr("lanes.count: 4\n"));
  EXPECT_THAT(printed, HasSubstr("kafka.brokers: [a:9092, b:9092]\n"));
  EXPECT_THAT(printed, HasSubstr("postgres.password: ***\n"));
  EXPECT_THAT(printed, Not(HasSubstr("hunter2")));
}

}  // namespace
}  // namespace bv::config
