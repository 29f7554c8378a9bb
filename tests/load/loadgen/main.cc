// A client that is fast enough to find the limit of inventory: ReserveStock, many calls at a time. Prints one
// JSON object.
//   loadgen --mode reserve --skus FILE --tokens FILE --address HOST:PORT …
#include <absl/flags/flag.h>
#include <absl/flags/parse.h>
#include <absl/flags/usage.h>
#include <absl/strings/str_format.h>
#include <sys/resource.h>

#include <fstream>
#include <iostream>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "tests/load/loadgen/reserve.h"
#include "tests/load/loadgen/sale.h"

ABSL_FLAG(std::string, mode, "reserve",
          "reserve: closed loop; sale: open loop on one SKU, others buy meanwhile");
ABSL_FLAG(std::string, address, "", "inventory's gRPC address, host:port");
ABSL_FLAG(std::string, tokens, "", "file with a buyer's token a line, taken in turn");
ABSL_FLAG(std::string, skus, "", "file with a SKU a line: what is reserved; of a sale, what the others buy");
ABSL_FLAG(int, threads, 1, "threads, each with connections of its own");
ABSL_FLAG(int, connections, 2, "HTTP/2 connections of each thread");
ABSL_FLAG(int, hold_seconds, 0, "how long a reservation holds; 0: the service's default");
ABSL_FLAG(double, seconds, 10, "reserve: measured time; sale: in which all buyers come");
ABSL_FLAG(double, warm_up, 2, "reserve: seconds before the measured time");
ABSL_FLAG(int, in_flight, 256, "reserve: calls under way");
ABSL_FLAG(std::string, sale_sku, "", "sale: what all buyers want");
ABSL_FLAG(std::int64_t, buyers, 100'000, "sale: how many come, evenly");
ABSL_FLAG(double, others, 200, "sale: reservations of other SKUs a second");
ABSL_FLAG(double, quiet, 10, "sale: seconds before it, in which only the others buy");

namespace bv::load {
namespace {

std::chrono::milliseconds Milliseconds(double seconds) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
}

absl::StatusOr<std::vector<std::string>> Lines(const std::string& path, std::string_view flag) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty()) lines.push_back(line);
  }
  if (lines.empty()) return InvalidValue(flag, "must be a file with at least one line");
  return lines;
}

absl::StatusOr<Target> TargetOfFlags() {
  Target target{.address = absl::GetFlag(FLAGS_address),
                .connections = absl::GetFlag(FLAGS_connections),
                .hold_seconds = absl::GetFlag(FLAGS_hold_seconds)};
  ASSIGN_OR_RETURN(target.tokens, Lines(absl::GetFlag(FLAGS_tokens), "tokens"));
  if (target.address.empty()) return InvalidValue("address", "must be host:port");
  if (target.connections < 1) return InvalidValue("connections", "must be at least 1");
  return target;
}

// How many cores this process had in use since `start`, on average: what the load itself costs the machine.
double ClientCores(Moment start) {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return (seconds(used.ru_utime) + seconds(used.ru_stime)) /
         std::chrono::duration<double>(Clock::now() - start).count();
}

absl::StatusOr<std::string> Reserve(const Target& target) {
  ReserveOptions options{.threads = absl::GetFlag(FLAGS_threads),
                         .in_flight = absl::GetFlag(FLAGS_in_flight),
                         .warm_up = Milliseconds(absl::GetFlag(FLAGS_warm_up)),
                         .measured = Milliseconds(absl::GetFlag(FLAGS_seconds))};
  ASSIGN_OR_RETURN(options.skus, Lines(absl::GetFlag(FLAGS_skus), "skus"));
  if (options.threads < 1) return InvalidValue("threads", "must be at least 1");
  if (options.in_flight < options.threads)
    return InvalidValue("in_flight", "must be at least a call a thread");
  const Moment start = Clock::now();
  ASSIGN_OR_RETURN(const Outcomes outcomes, RunReserve(target, options));
  return absl::StrFormat(R"({"seconds": %.3f, "calls": %d, "client_cores": %.2f, "outcomes": %s})",
                         absl::GetFlag(FLAGS_seconds), outcomes.count(), ClientCores(start),
                         outcomes.ToJson());
}

absl::StatusOr<std::string> Sale(const Target& target) {
  SaleOptions options{.sku = absl::GetFlag(FLAGS_sale_sku),
                      .buyers = absl::GetFlag(FLAGS_buyers),
                      .duration = Milliseconds(absl::GetFlag(FLAGS_seconds)),
                      .threads = absl::GetFlag(FLAGS_threads),
                      .others_per_second = absl::GetFlag(FLAGS_others),
                      .quiet = Milliseconds(absl::GetFlag(FLAGS_quiet))};
  ASSIGN_OR_RETURN(options.other_skus, Lines(absl::GetFlag(FLAGS_skus), "skus"));
  if (options.threads < 1) return InvalidValue("threads", "must be at least 1");
  if (options.buyers < 1) return InvalidValue("buyers", "must be at least 1");
  if (options.others_per_second <= 0) return InvalidValue("others", "must be more than 0");
  if (options.sku.empty()) return InvalidValue("sale_sku", "must not be empty");
  const Moment start = Clock::now();
  ASSIGN_OR_RETURN(const SaleOutcomes outcomes, RunSale(target, options));
  return absl::StrFormat(
      R"({"seconds": %.3f, "client_cores": %.2f, "buyers": %s, "others_before": %s, "others_during": %s, "lateness": %s})",
      absl::GetFlag(FLAGS_seconds), ClientCores(start), outcomes.buyers.ToJson(),
      outcomes.others_before.ToJson(), outcomes.others_during.ToJson(), outcomes.lateness.ToJson());
}

absl::StatusOr<std::string> Run() {
  ASSIGN_OR_RETURN(const Target target, TargetOfFlags());
  const std::string mode = absl::GetFlag(FLAGS_mode);
  if (mode == "reserve") return Reserve(target);
  if (mode == "sale") return Sale(target);
  return InvalidValue("mode", "must be reserve or sale");
}

}  // namespace
}  // namespace bv::load

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage("Load on ReserveStock; prints one JSON object.");
  absl::ParseCommandLine(argc, argv);
  const absl::StatusOr<std::string> report = bv::load::Run();
  if (!report.ok()) {
    const bv::ErrorDetail detail = bv::GetErrorDetail(report.status());
    std::cerr << "loadgen: " << (detail.field.empty() ? "" : "--" + detail.field + " ")
              << report.status().message() << "\n";
    return 1;
  }
  std::cout << *report << "\n";
  return 0;
}
