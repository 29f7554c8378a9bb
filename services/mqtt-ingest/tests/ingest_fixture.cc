#include "services/mqtt-ingest/tests/ingest_fixture.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "commerce/inventory/v1/events.pb.h"
#include "libs/base/strings.h"
#include "libs/events/envelope.h"

namespace bv::mqtt_ingest {
namespace {

namespace fs = std::filesystem;

constexpr char kOfIngest[] = "listen";
constexpr char kOfDevices[] = "speak";

testing::MosquittoServer::Options BrokerOptions(const std::string& plugin_key) {
  const std::string tent = "write iot/inventory/TENT/delta";
  const std::string mug = "write iot/inventory/MUG/delta";
  return {.accounts = {{"mqtt-ingest", {kOfIngest, {"read iot/inventory/+/delta"}}},
                       {"acme/press-1", {kOfDevices, {tent}}},
                       {"acme/press-2", {kOfDevices, {tent, mug}}},
                       {"globex/press-1", {kOfDevices, {tent}}}},
          .plugin = BV_ACCOUNT_PLUGIN,
          .plugin_key = plugin_key,
          .settings = "max_inflight_messages 500\nmax_queued_messages 100000\n"};
}

std::string TextOf(const testing::Seen& seen) {
  const kafka::Message message{
      .key = seen.key, .value = seen.value, .headers = {seen.headers.begin(), seen.headers.end()}};
  const auto event = events::ReadEvent(message);
  commerce::inventory::v1::DeltaReported payload;
  if (!event.ok() || !event->envelope.ParsePayload(payload).ok()) return "not an event: " + seen.value;
  return Concat(event->context.tenant.str(), " ", payload.device_id(), " ", payload.message_id(), " ",
                payload.delta());
}

}  // namespace

IngestFixture::IngestFixture() : broker_(BrokerOptions(kKey)) {
  std::string pattern = (fs::temp_directory_path() / "bv-ingest-XXXXXX").string();
  directory_ = mkdtemp(pattern.data());
  mqtt_ = {.address = broker_.address(),
           .user = "mqtt-ingest",
           .password = config::Secret(kOfIngest),
           .client_id = "mqtt-ingest",
           .keep_alive = absl::Seconds(5),
           .session_expiry = absl::Hours(1),
           .in_flight_max = 500};
  journal_settings_ = {.directory = directory_ + "/journal",
                       .bytes_max = 64 << 20,
                       .segment_bytes = 1 << 20,
                       .sync_interval = absl::Milliseconds(20)};
  topic_.Create(3);
  dead_letters_.Create(1);
}

IngestFixture::~IngestFixture() {
  Stop();
  if (program_ != 0) KillProgram();
  fs::remove_all(directory_);
}

std::unique_ptr<testing::Device> IngestFixture::DeviceOf(const std::string& account) const {
  return std::make_unique<testing::Device>(
      testing::Device::Options{.address = broker_.address(), .user = account, .password = kOfDevices});
}

std::string IngestFixture::ReportOf(std::int64_t delta, const std::string& id) {
  return Concat(R"({"delta": )", delta, R"(, "reason": "SENSOR")",
                id.empty() ? "" : Concat(R"(, "id": ")", id, "\""), "}");
}

void IngestFixture::Start() {
  auto journal = Journal::Open(journal_settings_);
  ASSERT_TRUE(journal.ok()) << journal.status();
  journal_ = *std::move(journal);
  const ForwarderSettings forwarding{
      .brokers = testing::Environment("BV_KAFKA_BROKERS"), .topic = topic_.name(), .batch_bytes = 1 << 20};
  forwarder_ = std::make_unique<Forwarder>(forwarding, *journal_);
  intake_ = std::make_unique<Intake>(mqtt_, config::Secret(kKey), *journal_);
  forwarder_->Start();
  ASSERT_TRUE(intake_->Start().ok());
}

void IngestFixture::Stop() {
  if (intake_) intake_->Stop();
  if (forwarder_) forwarder_->Stop();
  intake_.reset();
  forwarder_.reset();
  journal_.reset();
}

void IngestFixture::StartWriting() {
  Start();
  EXPECT_EQ(DeviceOf("acme/press-1")->Publish(kTopic, ReportOf(1, "second")), 0);
  WaitForEvents(2);
}

void IngestFixture::StartProgram(const std::string& brokers) {
  std::ofstream(directory_ + "/jwks.json")
      << R"({"keys":[{"kty":"oct","kid":"test","alg":"HS256","k":")" << std::string(43, 'A') << R"("}]})";
  const std::string binary = fs::read_symlink("/proc/self/exe").parent_path() / "mqtt-ingest";
  std::vector<std::string> environment = {Concat("BV_MQTT_ADDRESS=", mqtt_.address),
                                          Concat("BV_MQTT_PASSWORD=", mqtt_.password.Reveal()),
                                          Concat("BV_MQTT_ACCOUNT_KEY=", kKey),
                                          Concat("BV_JOURNAL_DIRECTORY=", journal_settings_.directory),
                                          Concat("BV_KAFKA_BROKERS=", brokers),
                                          Concat("BV_KAFKA_TOPIC=", topic_.name()),
                                          Concat("BV_AUTH_JWKS_FILE=", directory_, "/jwks.json"),
                                          "BV_AUTH_DEVELOPMENT=true",
                                          "BV_GRPC_ADDRESS=127.0.0.1:0",
                                          "BV_METRICS_ADDRESS=127.0.0.1:0",
                                          "BV_LOG_LEVEL=error"};
  std::vector<char*> variables;
  for (std::string& variable : environment) variables.push_back(variable.data());
  variables.push_back(nullptr);
  char* const arguments[] = {const_cast<char*>(binary.c_str()), nullptr};
  program_ = fork();
  if (program_ != 0) return;
  execve(binary.c_str(), arguments, variables.data());
  _exit(127);
}

void IngestFixture::KillProgram() {
  kill(program_, SIGKILL);
  waitpid(program_, nullptr, 0);
  program_ = 0;
}

std::uintmax_t IngestFixture::JournalBytes() const {
  std::uintmax_t bytes = 0;
  for (const auto& file : fs::directory_iterator(journal_settings_.directory)) {
    if (file.path().extension() == ".segment") bytes += file.file_size();
  }
  return bytes;
}

void IngestFixture::Introduce() {
  Start();
  const prometheus::Gauge& connected = telemetry::Gauge("mqtt_connected", "");
  while (connected.Value() == 0) std::this_thread::yield();
  EXPECT_EQ(DeviceOf("acme/press-1")->Publish(kTopic, ReportOf(1, "first")), 0);
  WaitForEvents(1);
  Stop();
}

std::set<std::string> IngestFixture::AllEvents() const {
  const std::string last = "acme press-1 last 1";
  DeviceOf("acme/press-1")->PublishSurely(kTopic, ReportOf(1, "last"));
  std::set<std::string> events;
  std::size_t read = 0;
  topic_.ReadUntil([&](const std::vector<testing::Seen>& seen) {
    for (; read < seen.size() && !events.contains(last); ++read) events.insert(TextOf(seen[read]));
    return events.contains(last);
  });
  events.erase(last);
  return events;
}

std::set<std::string> IngestFixture::WaitForEvents(std::size_t count) const {
  std::set<std::string> events;
  std::size_t read = 0;
  topic_.ReadUntil([&](const std::vector<testing::Seen>& seen) {
    for (; read < seen.size(); ++read) events.insert(TextOf(seen[read]));
    return events.size() >= count;
  });
  EXPECT_EQ(events.size(), count);
  return events;
}

std::multiset<std::string> IngestFixture::WaitForReasons(std::size_t count) const {
  std::multiset<std::string> reasons;
  for (const testing::Seen& letter : dead_letters_.Read(count))
    reasons.insert(letter.headers.at("__connect.errors.exception.class.name"));
  return reasons;
}

}  // namespace bv::mqtt_ingest
