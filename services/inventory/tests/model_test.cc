// Random sequences of operations, in batches of random size, against a small model in memory: every answer
// and, in the end, every row has to agree. BV_SEED and BV_STEPS choose another run; the seed is printed.
#include <gtest/gtest.h>

#include <cstdlib>
#include <future>
#include <random>

#include "libs/base/error.h"
#include "libs/base/strings.h"
#include "libs/testing/testing.h"
#include "services/inventory/store/stock_batch.h"

namespace bv::inventory {
namespace {

constexpr const char* kSkus[] = {"CUP", "MUG", "TENT"};
// In the order in which they are emptied.
constexpr const char* kPlaces[] = {"A", "B"};

struct ModelPlace {
  std::int64_t on_hand = 0, reserved = 0, buffer = 0;
  std::int64_t available() const { return on_hand - reserved - buffer; }
};

struct ModelReservation {
  std::string state = "HELD";
  bool overdue = false;
  // By SKU, then place.
  std::map<std::string, std::map<std::string, std::int64_t>> taken, shipped;
};

// What the stock is to do, said as simply as possible. Each operation answers "OK" with the state, or the
// reason.
class Model {
 public:
  std::map<std::string, std::map<std::string, ModelPlace>> stock;
  std::map<std::string, ModelReservation> reservations;

  std::int64_t Available(const std::string& sku) const {
    std::int64_t sum = 0;
    if (const auto found = stock.find(sku); found != stock.end()) {
      for (const auto& [name, place] : found->second) sum += place.available();
    }
    return sum;
  }

  std::string Adjust(const std::string& sku, const std::string& place, std::int64_t delta, bool force) {
    if (delta > 0) stock[sku][place];
    if (!stock.contains(sku) || !stock[sku].contains(place)) return "STOCK_NEGATIVE";
    ModelPlace& at = stock[sku][place];
    if (at.on_hand + delta < 0) return "STOCK_NEGATIVE";
    if (delta < 0 && at.available() + delta < 0 && !force) return "STOCK_NEGATIVE";
    at.on_hand += delta;
    return "OK";
  }

  std::string SetBuffer(const std::string& sku, const std::string& place, std::int64_t buffer) {
    if (!stock.contains(sku) || !stock[sku].contains(place)) return "SKU_NOT_FOUND";
    ModelPlace& at = stock[sku][place];
    if (buffer > at.buffer && buffer - at.buffer > at.available()) return "STOCK_NEGATIVE";
    at.buffer = buffer;
    return "OK";
  }

  std::string Reserve(const std::string& id, const std::map<std::string, std::int64_t>& wanted,
                      bool overdue) {
    if (const auto found = reservations.find(id); found != reservations.end()) {
      std::map<std::string, std::int64_t> before;
      for (const auto& [sku, places] : found->second.taken) {
        for (const auto& [name, qty] : places) before[sku] += qty;
      }
      return before == wanted ? "OK " + found->second.state : "RESERVATION_MISMATCH";
    }
    for (const auto& [sku, qty] : wanted) {
      if (Available(sku) < qty) return "OUT_OF_STOCK";
    }
    ModelReservation& made = reservations[id];
    made.overdue = overdue;
    for (const auto& [sku, qty] : wanted) {
      std::int64_t left = qty;
      for (auto& [name, place] : stock[sku]) {
        const std::int64_t part = std::min(left, std::max<std::int64_t>(place.available(), 0));
        if (part == 0) continue;
        place.reserved += part;
        made.taken[sku][name] = part;
        left -= part;
      }
    }
    return "OK HELD";
  }

  std::string GiveBack(const std::string& id, const std::string& state, bool only_overdue) {
    if (!reservations.contains(id)) return "RESERVATION_NOT_FOUND";
    ModelReservation& r = reservations[id];
    const bool active = r.state == "HELD" || (r.state == "COMMITTED" && !only_overdue);
    if (active && (!only_overdue || r.overdue)) {
      for (const auto& [sku, places] : r.taken) {
        for (const auto& [name, qty] : places) stock[sku][name].reserved -= qty - r.shipped[sku][name];
      }
      r.state = state;
    }
    return "OK " + r.state;
  }

  std::string SetState(const std::string& id, const std::string& state) {
    if (!reservations.contains(id)) return "RESERVATION_NOT_FOUND";
    ModelReservation& r = reservations[id];
    if (r.state != "HELD" && r.state != "COMMITTED") return "RESERVATION_NOT_HELD";
    r.state = state;
    return "OK " + state;
  }

  std::string Ship(const std::string& id, const std::string& sku, std::int64_t qty) {
    if (!reservations.contains(id)) return "RESERVATION_NOT_FOUND";
    std::int64_t on_hand = 0;
    for (const auto& [name, place] : stock[sku]) on_hand += place.on_hand;
    if (on_hand < qty) return "STOCK_NEGATIVE";
    ModelReservation& r = reservations[id];
    if (r.state != "COMMITTED") return "RESERVATION_NOT_COMMITTED";
    std::int64_t left = 0;
    for (const auto& [name, taken] : r.taken[sku]) left += taken - r.shipped[sku][name];
    if (left < qty) return "SHIPMENT_TOO_LARGE";
    for (const auto& [name, taken] : r.taken[sku]) {
      const std::int64_t part = std::min(qty, taken - r.shipped[sku][name]);
      r.shipped[sku][name] += part;
      stock[sku][name].on_hand -= part;
      stock[sku][name].reserved -= part;
      qty -= part;
    }
    bool all = true;
    for (const auto& [each, places] : r.taken) {
      for (const auto& [name, taken] : places) all = all && r.shipped[each][name] == taken;
    }
    if (all) r.state = "SHIPPED";
    return "OK " + r.state;
  }
};

class ModelTest : public ::testing::Test {
 protected:
  struct Step {
    std::string what;
    std::string expected;
    Command command;
  };

  int Pick(int n) { return std::uniform_int_distribution<int>(0, n - 1)(random_); }
  std::string AnyId() { return Concat("r-", Pick(std::max(1, next_id_))); }

  Step NextStep() {
    const std::string sku = kSkus[Pick(3)], place = kPlaces[Pick(2)];
    switch (Pick(10)) {
      case 0: {
        const int delta = Pick(30) - 8;
        const bool force = Pick(10) == 0 && delta < 0;
        AdjustCommand command{.adjustment_id = AdjustmentId::New(),
                              .sku = SkuCode::Trusted(sku),
                              .product = ProductId::DerivedFrom({sku}),
                              .location = LocationCode::Trusted(place),
                              .delta = delta == 0 ? 1 : delta,
                              .reason = ReasonCode::Trusted("COUNTED"),
                              .force = force ? Force::kYes : Force::kNo};
        return {Concat("adjust ", sku, " ", place, " ", command.delta, force ? " forced" : ""),
                model_.Adjust(sku, place, command.delta, force), command};
      }
      case 1: {
        const int buffer = Pick(4);
        PolicyCommand command{.sku = SkuCode::Trusted(sku),
                              .location = LocationCode::Trusted(place),
                              .policy = {.buffer = buffer}};
        return {Concat("buffer ", sku, " ", place, " ", buffer), model_.SetBuffer(sku, place, buffer),
                command};
      }
      case 2: {
        ReleaseCommand command{.reservation_id = AnyId()};
        return {"release " + command.reservation_id,
                model_.GiveBack(command.reservation_id, "RELEASED", false), command};
      }
      case 3: {
        ExpireCommand command{.reservation_id = AnyId(), .sku = SkuCode::Trusted(sku)};
        return {"expire " + command.reservation_id, model_.GiveBack(command.reservation_id, "EXPIRED", true),
                command};
      }
      case 4: {
        CommitCommand command{AnyId()};
        return {"commit " + command.reservation_id, model_.SetState(command.reservation_id, "COMMITTED"),
                command};
      }
      case 5: {
        UncommitCommand command{AnyId()};
        return {"uncommit " + command.reservation_id, model_.SetState(command.reservation_id, "HELD"),
                command};
      }
      case 6: {
        ShipCommand command{.reservation_id = AnyId(),
                            .shipment_id = Concat("s-", next_shipment_++),
                            .lines = {{SkuCode::Trusted(sku), 1 + Pick(3)}}};
        return {Concat("ship ", command.reservation_id, " ", sku, " ", command.lines[0].qty),
                model_.Ship(command.reservation_id, sku, command.lines[0].qty), command};
      }
      default: {
        // Sometimes an id that was used before.
        const std::string id = Pick(6) == 0 ? AnyId() : Concat("r-", next_id_++);
        std::map<std::string, std::int64_t> wanted{{sku, 1 + Pick(4)}};
        if (Pick(3) == 0) wanted[kSkus[Pick(3)]] = 1 + Pick(3);
        const bool overdue = Pick(2) == 0;
        ReserveCommand command{.reservation_id = id, .hold = overdue ? -absl::Hours(1) : absl::Hours(1)};
        std::string what = "reserve " + id;
        for (const auto& [each, qty] : wanted) {
          command.lines.push_back({SkuCode::Trusted(each), qty});
          what += Concat(" ", each, " ", qty);
        }
        return {what, model_.Reserve(id, wanted, overdue), command};
      }
    }
  }

  static async::Task<absl::StatusOr<Outcome>> Submit(StockLanes& lanes, Command command) {
    co_return co_await lanes.Submit("one lane", std::move(command), testing::ContextOf("acme"));
  }

  static std::string Told(const absl::StatusOr<Outcome>& outcome, const Command& command) {
    if (!outcome.ok()) return ErrorReason(outcome.status());
    if (std::holds_alternative<AdjustCommand>(command) || std::holds_alternative<PolicyCommand>(command))
      return "OK";
    return Concat("OK ", Word(outcome->reservation.state));
  }

  std::string StockOfModel() const {
    std::string text;
    for (const auto& [sku, places] : model_.stock) {
      for (const auto& [name, place] : places)
        text += Concat(sku, " ", name, " ", place.on_hand, " ", place.reserved, " ", place.buffer, "\n");
    }
    return text;
  }
  std::string StockOfRows() const {
    return database_.Query(
        "SELECT coalesce(string_agg(format(E'%s %s %s %s %s\\n', sku, location_code, on_hand, reserved, "
        "buffer), '' "
        "ORDER BY sku, location_code), '') FROM inventory.inventory_stock");
  }

  testing::Database database_{"inventory"};
  testing::Loop loop_;
  StockMemory memory_{.sold_out = SoldOut(absl::ZeroDuration()), .demand = Demand(1'000'000)};
  StockLanes lanes_{"stock", database_.Connection(), postgres::LaneSettings{.count = 1},
                    std::bind_front(ExecuteStockBatch, std::ref(memory_))};
  Model model_;
  std::mt19937_64 random_;
  int next_id_ = 0;
  int next_shipment_ = 0;
};

std::int64_t FromEnvironment(const char* name, std::int64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::atoll(text);
}

TEST_F(ModelTest, AnswersAndRowsAgree) {
  const std::int64_t seed = FromEnvironment("BV_SEED", static_cast<std::int64_t>(std::random_device{}()));
  const std::int64_t steps = FromEnvironment("BV_STEPS", 4'000);
  std::cout << "BV_SEED=" << seed << " BV_STEPS=" << steps << std::endl;
  random_.seed(static_cast<std::uint64_t>(seed));
  // All places are there from the start: one that is made by an adjustment is there for the whole batch.
  for (const char* sku : kSkus) {
    for (const char* place : kPlaces) {
      AdjustCommand command{.adjustment_id = AdjustmentId::New(),
                            .sku = SkuCode::Trusted(sku),
                            .product = ProductId::DerivedFrom({sku}),
                            .location = LocationCode::Trusted(place),
                            .delta = 3,
                            .reason = ReasonCode::Trusted("COUNTED")};
      ASSERT_EQ(model_.Adjust(sku, place, 3, false), "OK");
      ASSERT_TRUE(
          boost::asio::co_spawn(loop_.io(), Submit(lanes_, command), boost::asio::use_future).get().ok());
    }
  }
  std::string story;
  for (std::int64_t done = 0; done < steps;) {
    std::vector<Step> batch;
    const int size = 1 + Pick(20);
    for (int i = 0; i < size; ++i) batch.push_back(NextStep());
    std::vector<std::future<absl::StatusOr<Outcome>>> answers;
    for (const Step& step : batch)
      answers.push_back(
          boost::asio::co_spawn(loop_.io(), Submit(lanes_, step.command), boost::asio::use_future));
    for (std::size_t i = 0; i < batch.size(); ++i) {
      const absl::StatusOr<Outcome> outcome = answers[i].get();
      const std::string told = Told(outcome, batch[i].command);
      story += Concat(batch[i].what, " → ", told, "\n");
      ASSERT_EQ(told, batch[i].expected)
          << "seed " << seed << ", the last of:\n"
          << story.substr(story.size() - std::min<std::size_t>(story.size(), 2'000)) << outcome.status();
    }
    done += size;
    if (done % 50 < size) {
      ASSERT_EQ(StockOfRows(), StockOfModel()) << "seed " << seed;
    }
  }
  EXPECT_EQ(StockOfRows(), StockOfModel());
  EXPECT_EQ(database_.Query(R"sql(
    SELECT count(*) FROM inventory.inventory_stock s
    FULL JOIN (SELECT tenant_id, sku, location_code, sum(on_hand_delta) AS on_hand, sum(reserved_delta) AS reserved,
                      sum(buffer_delta) AS buffer
               FROM inventory.inventory_adjustment GROUP BY 1, 2, 3) l USING (tenant_id, sku, location_code)
    WHERE (s.on_hand, s.reserved, s.buffer) IS DISTINCT FROM (l.on_hand, l.reserved, l.buffer))sql"),
            "0")
      << "the ledger's sums are the stock";
}

}  // namespace
}  // namespace bv::inventory
