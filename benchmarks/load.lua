-- wrk's side of benchmarks/load.py: each thread sends its own file of requests to its own process, each request once.
-- When the time is up (or the file is) a connection sends nothing more, so that every request that was sent is answered.
local ffi = require("ffi")
ffi.cdef [[ typedef struct { long seconds; long nanoseconds; } moment; int clock_gettime(int clock, moment *now); ]]

local NEVER = 3600 * 1000 -- milliseconds
local MONOTONIC = 1

local threads = {}
local ports = {}
for port in os.getenv("BENCH_PORTS"):gmatch("%d+") do ports[#ports + 1] = port end

function setup(thread)
  local index = #threads
  thread:set("path", os.getenv("BENCH_FOLDER") .. "/requests." .. index)
  thread:set("available", tonumber(os.getenv("BENCH_REQUESTS")))
  thread:set("seconds", tonumber(os.getenv("BENCH_SECONDS")))
  thread.addr = wrk.lookup("127.0.0.1", ports[index % #ports + 1])[1]
  threads[#threads + 1] = thread
end

local now, lines, deadline
local head = "POST /ingest/twilio/messages HTTP/1.1\r\nHost: " .. os.getenv("BENCH_HOST") ..
  "\r\nUser-Agent: TwilioProxy/1.1\r\nAccept: */*\r\nI-Twilio-Idempotency-Token: 8f14e45f-ceea-467f-a830-5f8d5c1c9e11" ..
  "\r\nContent-Type: application/x-www-form-urlencoded; charset=UTF-8\r\nX-Twilio-Signature: "

local function clock()
  ffi.C.clock_gettime(MONOTONIC, now)
  return tonumber(now.seconds) + tonumber(now.nanoseconds) / 1e9
end

function init()
  now = ffi.new("moment")
  lines = io.lines(path)
  reserved, sent, exhausted = 0, 0, 0
end

function delay()
  local time = clock()
  deadline = deadline or time + seconds
  if time >= deadline then return NEVER end
  if reserved >= available then
    exhausted = 1
    return NEVER
  end
  reserved = reserved + 1
  return 0
end

function request()
  if reserved == 0 then return "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" end -- wrk looks at one that it never sends
  sent = sent + 1
  local line = lines()
  return head .. line:sub(1, 28) .. "\r\nContent-Length: " .. #line - 28 .. "\r\n\r\n" .. line:sub(29)
end

function done(summary, latency)
  local sent, exhausted = 0, 0
  for _, thread in ipairs(threads) do
    sent, exhausted = sent + thread:get("sent"), exhausted + thread:get("exhausted")
  end
  local errors = summary.errors
  print(string.format(
    '{"sent":%d,"answered":%d,"exhausted":%d,"errors":%d,"p50":%.3f,"p99":%.3f}',
    sent, summary.requests, exhausted, errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
