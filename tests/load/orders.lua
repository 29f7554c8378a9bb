-- POST /api/v1/orders by wrk: bodies in turn, an Idempotency-Key of its own for each. wrk … -- TOKEN FILE-OF-BODIES
local threads = {}

function setup(thread)
  thread:set("number", #threads)
  table.insert(threads, thread)
end

function init(args)
  token, bodies, turn, statuses = args[1], {}, 0, {}
  for line in io.lines(args[2]) do table.insert(bodies, line) end
  math.randomseed(os.time() + number)
  run = string.format("%x%x", os.time(), math.random(0, 2 ^ 30))
end

function request()
  turn = turn + 1
  return wrk.format("POST", nil, {
    ["Authorization"] = "Bearer " .. token,
    ["Content-Type"] = "application/json",
    ["Idempotency-Key"] = run .. "-" .. number .. "-" .. turn,
  }, bodies[turn % #bodies + 1])
end

function response(status)
  statuses[status] = (statuses[status] or 0) + 1
end

function done(summary, latency)
  local counts = {}
  for _, thread in ipairs(threads) do
    for status, count in pairs(thread:get("statuses")) do counts[status] = (counts[status] or 0) + count end
  end
  local listed = {}
  for status, count in pairs(counts) do table.insert(listed, string.format('"%d":%d', status, count)) end
  local errors = summary.errors
  io.write(string.format('REPORT{"seconds":%f,"statuses":{%s},"lost":%d,"p50":%f,"p95":%f,"p99":%f,"max":%f}\n',
    summary.duration / 1e6, table.concat(listed, ","), errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50) / 1e3, latency:percentile(95) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3))
end
