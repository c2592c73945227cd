-- A window that rolls in steps, as Mixer's redisquota had it: what is granted is gathered in buckets, and comes back a bucket at a time.
--
-- KEYS: the sum and the bucket that is being filled; the buckets before it, by their times; what is remembered of the request's id.
-- ARGV: as for the fixed window, and behind them how long a bucket is filled, in milliseconds.
local limit, window, now, want = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local best_effort, has_id, step = ARGV[5] == '1', ARGV[6] == '1', tonumber(ARGV[7])

local found = redis.call('HMGET', KEYS[1], 'used', 'bucket', 'begun', 'number')
local used, bucket = tonumber(found[1]) or 0, tonumber(found[2]) or 0
local begun, number = tonumber(found[3]) or now, tonumber(found[4]) or 0

local function resets()
    local oldest = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')
    local since = tonumber(oldest[2]) or (bucket > 0 and begun) or now
    return math.max(0, since + window - now)
end

if has_id then
    local remembered = redis.call('HMGET', KEYS[3], 'granted', 'ends')
    local until_then = tonumber(remembered[2])
    if until_then and now < until_then then
        return { tonumber(remembered[1]), until_then - now, math.max(0, limit - used), resets() }
    end
end

if now - begun >= step then
    if bucket > 0 then
        -- Members of a set are different: two buckets may hold as much.
        redis.call('ZADD', KEYS[2], begun, number .. ':' .. bucket)
        number = number + 1
    end
    bucket, begun = 0, now
end

for _, member in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now - window)) do
    used = math.max(0, used - tonumber(string.match(member, ':(%d+)$')))
end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - window)

local available = math.max(0, limit - used)
local granted = want
if want > available then
    granted = best_effort and available or 0
end

redis.call('HSET', KEYS[1], 'used', used + granted, 'bucket', bucket + granted, 'begun', begun, 'number', number)
-- Mixer set a time for the sum only; the buckets stayed for ever.
redis.call('PEXPIRE', KEYS[1], window + step)
redis.call('PEXPIRE', KEYS[2], window + step)
if granted == 0 then
    return { 0, 0, available, resets() }
end
if has_id then
    redis.call('HSET', KEYS[3], 'granted', granted, 'ends', now + window)
    redis.call('PEXPIRE', KEYS[3], window)
end
bucket = bucket + granted
return { granted, window, available - granted, resets() }
