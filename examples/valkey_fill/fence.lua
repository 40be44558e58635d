-- The fence of one key. A script runs as a whole, so each step is atomic.
--
-- KEYS[1]  the entry
-- KEYS[2]  the fence, a hash: `nonce`, `sequence`, `dead`, and for each writer when its lease ends
-- ARGV     the step, a nonce in case one is needed, how long an idle fence is kept (ms); then what the step takes
local entry, fence = KEYS[1], KEYS[2]
local step, fresh, keep = ARGV[1], ARGV[2], ARGV[3]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- New, or lost with everything the server knew. Stamps from before are void, and writers may be at work that
-- the server no longer knows of.
if redis.call('HSETNX', fence, 'nonce', fresh) == 1 then
  redis.call('HSET', fence, 'sequence', 0, 'dead', 1)
end

-- A section whose lease has run out has ended. Its writer may be dead, or slow and about to write.
local running = 0
local all = redis.call('HGETALL', fence)
for i = 1, #all, 2 do
  if string.sub(all[i], 1, 7) == 'writer:' then
    if tonumber(all[i + 1]) > now then
      running = running + 1
    else
      redis.call('HDEL', fence, all[i])
      redis.call('HINCRBY', fence, 'sequence', 1)
      redis.call('HSET', fence, 'dead', 1)
    end
  end
end

local function stamp()
  return table.concat(redis.call('HMGET', fence, 'nonce', 'sequence'), ':')
end

local answer
if step == 'begin' then
  local value = redis.call('GET', entry)
  if value then
    answer = {'hit', value}
  elseif running > 0 then
    answer = {'running', ''}
  elseif redis.call('HGET', fence, 'dead') == '1' then
    answer = {'dead', stamp()}
  else
    answer = {'miss', stamp()}
  end

elseif step == 'publish' then
  local stamped, value, ttl = ARGV[4], ARGV[5], ARGV[6]
  answer = 0
  if running == 0 and stamped == stamp() then
    redis.call('SET', entry, value, 'PX', ttl)
    redis.call('HSET', fence, 'dead', 0)
    answer = 1
  end

elseif step == 'enter' then
  local writer, lease = 'writer:' .. ARGV[4], tonumber(ARGV[5])
  redis.call('DEL', entry)
  redis.call('HSET', fence, writer, now + lease)
  running = running + 1
  answer = 1

elseif step == 'renew' then
  local writer, lease = 'writer:' .. ARGV[4], tonumber(ARGV[5])
  answer = redis.call('HEXISTS', fence, writer)
  if answer == 1 then
    redis.call('HSET', fence, writer, now + lease)
  end

elseif step == 'leave' then
  redis.call('DEL', entry)
  redis.call('HINCRBY', fence, 'sequence', 1)
  answer = redis.call('HDEL', fence, 'writer:' .. ARGV[4])
  running = running - answer

else
  return redis.error_reply('no such step: ' .. step)
end

-- A server that is short of memory may evict keys that expire, so a fence with writers must not expire.
if running > 0 then
  redis.call('PERSIST', fence)
else
  redis.call('PEXPIRE', fence, keep)
end
return answer
