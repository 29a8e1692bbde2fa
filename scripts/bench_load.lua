-- What wrk runs: posts the lines of a file in turn, and prints what scripts/bench_load.py reads.
-- wrk … URL -- FILE
local requests, place = {}, 0

function init(arguments)
  local headers = { ["Content-Type"] = "application/json" }
  for line in io.lines(arguments[1]) do
    requests[#requests + 1] = wrk.format("POST", nil, headers, line)
  end
end

function request()
  place = place % #requests + 1
  return requests[place]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format("bench requests %d\nbench microseconds %d\n", summary.requests, summary.duration))
  io.write(string.format("bench failed %d\n", errors.connect + errors.read + errors.write + errors.status + errors.timeout))
  for _, share in ipairs({ 50, 95, 99 }) do
    io.write(string.format("bench p%d %d\n", share, latency:percentile(share)))
  end
end
