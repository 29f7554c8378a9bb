#include "libs/telemetry/metrics.h"

#include <exception>
#include <mutex>

#include "libs/telemetry/telemetry.h"

namespace bv::telemetry {
namespace {

// Label sets of one name. More is a mistake (an id as a label) that would grow without end here and in
// Prometheus.
constexpr std::size_t kSeriesMax = 1000;

// The metrics of one type by name and labels. Prometheus' own look-up walks through all families.
template <class Metric>
class Directory {
 public:
  // `add` makes a registered metric, `make` one that no page shows: a mistake in a name must not take the
  // process down.
  template <class Add, class Make>
  Metric& Find(const std::string& name, const Labels& labels, Add add, Make make) {
    std::unique_lock lock(mutex_);
    Family& family = families_[name];
    if (const auto found = family.series.find(labels); found != family.series.end()) return *found->second;
    if (family.series.size() >= kSeriesMax) {
      if (!family.hidden) family.hidden = make();
      Metric& hidden = *family.hidden;
      lock.unlock();
      Counter("bv_metric_series_refused_total", "Look-ups of a metric with one label set too many")
          .Increment();
      return hidden;
    }
    try {
      return *(family.series[labels] = &add());
    } catch (const std::exception& error) {
      if (!family.hidden) family.hidden = make();
      family.series[labels] = family.hidden.get();
      Metric& hidden = *family.hidden;
      lock.unlock();
      Log(Level::kError, "metric cannot be registered", {{"metric", name}, {"error", error.what()}});
      return hidden;
    }
  }

 private:
  struct Family {
    std::map<Labels, Metric*> series;
    std::unique_ptr<Metric> hidden;
  };
  std::mutex mutex_;
  std::map<std::string, Family> families_;
};

// Never destroyed, as the metrics: destructors of static objects may still count.
template <class Metric>
Directory<Metric>& TheDirectory() {
  static auto& directory = *new Directory<Metric>;
  return directory;
}

std::vector<double> Scaled(const std::vector<double>& bounds, double factor) {
  std::vector<double> scaled;
  for (const double bound : bounds) scaled.push_back(bound * factor);
  return scaled;
}

}  // namespace

std::shared_ptr<prometheus::Registry> SharedRegistry() {
  static auto& registry =
      *new std::shared_ptr<prometheus::Registry>(std::make_shared<prometheus::Registry>());
  return registry;
}

prometheus::Registry& Registry() {
  return *SharedRegistry();
}

prometheus::Counter& Counter(const std::string& name, const std::string& help, const Labels& labels) {
  return TheDirectory<prometheus::Counter>().Find(
      name, labels,
      [&]() -> prometheus::Counter& {
        return prometheus::BuildCounter().Name(name).Help(help).Register(Registry()).Add(labels);
      },
      [] { return std::make_unique<prometheus::Counter>(); });
}

prometheus::Gauge& Gauge(const std::string& name, const std::string& help, const Labels& labels) {
  return TheDirectory<prometheus::Gauge>().Find(
      name, labels,
      [&]() -> prometheus::Gauge& {
        return prometheus::BuildGauge().Name(name).Help(help).Register(Registry()).Add(labels);
      },
      [] { return std::make_unique<prometheus::Gauge>(); });
}

prometheus::Histogram& Histogram(const std::string& name, const std::string& help,
                                 const std::vector<double>& bounds, const Labels& labels) {
  return TheDirectory<prometheus::Histogram>().Find(
      name, labels,
      [&]() -> prometheus::Histogram& {
        return prometheus::BuildHistogram().Name(name).Help(help).Register(Registry()).Add(labels, bounds);
      },
      [&] { return std::make_unique<prometheus::Histogram>(bounds); });
}

const std::vector<double>& LatencySeconds() {
  static const auto& bounds = *new std::vector<double>(Scaled(LatencyMillis(), 1e-3));
  return bounds;
}

const std::vector<double>& LatencyMillis() {
  static const auto& bounds =
      *new std::vector<double>{0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000};
  return bounds;
}

void SetReady(bool ready) {
  Gauge("bv_ready", "1 while the process serves, 0 while it starts or drains").Set(ready ? 1 : 0);
}

}  // namespace bv::telemetry
