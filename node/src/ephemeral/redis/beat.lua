-- A node's sign of life: what it says of itself, and that those on it are still there.
-- KEYS: the runs of nodes; the hint; who is online. ARGV: the run; the message; for how many milliseconds the hint and who
-- is online last; the channel. Answers whether anybody is online.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
redis.call('ZADD', KEYS[1], now + ARGV[4], ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('PUBLISH', ARGV[5], ARGV[2])
return redis.call('PEXPIRE', KEYS[3], ARGV[4])
