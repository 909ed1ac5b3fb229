#!/usr/bin/env bash
# Streams end to end, against servers on 127.0.0.1: RTSP, RTMP, HLS, files over HTTP, pipes. Cases
# run at the same time, each in a folder of its own.
# usage: streams.sh NORMALCY MAKE_SCENE    STREAMS="rtmp files" in the environment: these cases alone
tests=$(cd "$(dirname "$0")" && pwd) || exit 1
. "$tests/cli/common.sh"
python=/usr/bin/python3 # Debian's, which finds python3-gi
secret=geheim

for tool in ffmpeg ffprobe $python; do
    command -v $tool >/dev/null || { echo "$tool is missing: streams are not tried"; exit 77; }
done
$python -c 'import gi; gi.require_version("GstRtspServer", "1.0")' 2>/dev/null ||
    { echo "gir1.2-gst-rtsp-server-1.0 or python3-gi is missing: streams are not tried"; exit 77; }

touch pids
stop_servers() {
    xargs -r kill -9 <pids 2>/dev/null
    cleanup
}
trap stop_servers EXIT

# ---- helpers; each works in the case's folder ----

# soon SECONDS COMMAND...: true once the command is, false if it was not in that time.
soon() {
    local end=$((SECONDS + $1))
    shift
    until "$@" 2>/dev/null; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.1
    done
}

# serve COMMAND...: runs a server; $server and server.log are its.
serve() {
    : >server.log # now: the last server's port must not be found in it
    "$@" >>server.log 2>server.err </dev/null &
    server=$!
    echo $server >>../pids
}

rtsp() {
    serve $python "$tests/rtsp_server.py" "$@"
    soon 30 grep -q ^port server.log || fail "no RTSP server: $(tail -1 server.err)"
    port=$(awk '/^port/ { print $2 }' server.log)
}

http() {
    serve $python -u -m http.server --bind 127.0.0.1 0
    soon 30 grep -q 'port [0-9]' server.log || fail "no HTTP server: $(tail -1 server.err)"
    port=$(sed -n 's/.* port \([0-9]*\).*/\1/p' server.log)
}

told() {
    [ "$(grep ^sessions server.log | tail -1)" = "sessions $1" ]
}
# sessions COUNT WHAT: those of the RTSP server
sessions() {
    soon 10 told $1 || fail "$2: $(grep ^sessions server.log | tail -1), expected $1"
}

has_lines() {
    [ "$(wc -l <$1)" -ge $2 ]
}
gone() {
    ! kill -0 $pid
}

# watch ARGUMENTS...: scores in the background.
watch() {
    : >out
    "$normalcy" score "$@" >out 2>err </dev/null &
    pid=$!
    echo $pid >>../pids
    checks=$((checks + 1))
}
lines() {
    soon 40 has_lines $1 $2 || fail "$1 has $(wc -l <$1) lines, expected $2: $(tail -1 err)"
}

# ends CODE SECONDS WHAT: the watched program ends so, in that time.
ends() {
    soon $2 gone || { fail "$3: runs for $2 s more"; kill -9 $pid; }
    wait $pid
    local code=$?
    [ $code = $1 ] || fail "$3: exit code $code, expected $1: $(tail -1 err)"
    if grep -qE 'Sanitizer|runtime error' err; then
        fail "$3: $(grep -E 'Sanitizer|runtime error' err | head -1)"
    fi
}

# Lines of a live source: frames count up, seconds do not run back, times are of now and in UTC.
check_live() {
    $python - "$1" <<'END' || fail "$1: lines of a live source"
import datetime, json, sys
rows = [json.loads(line) for line in open(sys.argv[1])]
now = datetime.datetime.now(datetime.timezone.utc)
for row, last in zip(rows[1:], rows):
    assert row["frame"] > last["frame"], row
    assert row["seconds"] >= last["seconds"], row
    assert row["time"] >= last["time"], row
age = (now - datetime.datetime.fromisoformat(rows[-1]["time"].replace("Z", "+00:00")))
assert rows[-1]["time"].endswith("Z") and -1 < age.total_seconds() < 60, rows[-1]
END
}

film_of() { # SECONDS ARGUMENTS...: a film by FFmpeg, 10 frames a second
    local seconds=$1
    shift
    ffmpeg -v error -y -f lavfi -i testsrc2=size=160x120:rate=10:duration=$seconds -c:v libx264 \
        -preset ultrafast -threads 1 -pix_fmt yuv420p -g 10 "$@"
}

# ---- RTSP ----

rtsp_tcp() {
    rtsp
    for i in 1 2; do # a second run appends
        watch persistence rtsp://127.0.0.1:$port/cam -o scores.jsonl
        lines scores.jsonl $((i * 10))
        [ $i = 2 ] || cp scores.jsonl first.jsonl
        kill -INT $pid
        ends 0 5 "SIGINT"
        sessions 0 "SIGINT"
        [ $i = 2 ] || check_live scores.jsonl
    done
    head -n $(wc -l <first.jsonl) scores.jsonl | cmp - first.jsonl || fail "-o lost what was there"
    for i in 1 2; do
        watch persistence rtsp://127.0.0.1:$port/cam -o scores.csv --format csv
        lines scores.csv $((i * 6))
        kill -INT $pid
        ends 0 5 "SIGINT, csv"
    done
    [ "$(grep -c frame scores.csv)" = 1 ] || fail "csv has $(grep -c frame scores.csv) headers"
    sessions 0 "the end"
    ! grep -q slower err || fail "a slow camera: $(grep slower err)"
}

rtsp_udp() {
    rtsp --udp
    watch persistence rtsp://127.0.0.1:$port/cam
    lines out 10
    kill -TERM $pid
    ends 0 5 "SIGTERM"
    sessions 0 "UDP"
    check_live out
}

rtsp_ends() {
    rtsp --frames 20
    watch persistence rtsp://127.0.0.1:$port/cam --no-reconnect
    ends 1 20 "a stream that ends, --no-reconnect"
    has_lines out 10 || fail "a stream that ends: $(wc -l <out) lines"
    sessions 0 "a stream that ends"
    rtsp --sound
    expect 1 'there is no video in it' score persistence rtsp://127.0.0.1:$port/cam
    sessions 0 "a stream without video"
    expect 1 '404 Not Found; check the path' score persistence rtsp://127.0.0.1:$port/none
}

rtsp_frozen() {
    rtsp
    watch persistence rtsp://127.0.0.1:$port/cam --timeout 5 --no-reconnect
    lines out 5
    kill -STOP $server
    ends 1 9 "a frozen server, --timeout 5" # twice would be 10
    grep -q 'timed out after 5 s.*--timeout' err || fail "a frozen server: $(tail -1 err)"
    kill -CONT $server
}

# Frames 0 to 2 and 3 are the first pair; so it is after the gap.
rtsp_comes_back() {
    rtsp
    watch ../stacked/checkpoint.safetensors rtsp://127.0.0.1:$port/cam --interval 0
    lines out 5
    kill -9 $server
    soon 20 grep -q 'connecting again' err || fail "no line for the loss: $(cat err)"
    local before
    before=$(wc -l <out)
    sleep 1
    rtsp --port $port
    soon 40 grep -q 'is back after' err || fail "no line for the return: $(cat err)"
    lines out $((before + 10))
    kill -9 $server
    soon 20 eval '[ "$(grep -c "connecting again" err)" = 2 ]' || fail "one loss: $(cat err)"
    kill -INT $pid
    ends 0 3 "SIGINT while it waits"
    check_live out
    $python - <<'END' || fail "pairs cross the gap: $(cat out)"
import json
frames = [json.loads(line)["frame"] for line in open("out")]
assert frames[0] == 3, frames[0]
assert max(b - a for a, b in zip(frames, frames[1:])) >= 4, frames
END
}

rtsp_password() {
    local password="ge:$secret/?#@1" kind url
    for kind in "" --digest; do
        rtsp --user "op er" --password "$password" $kind
        url=rtsp://op%20er:ge%3A$secret%2F%3F%23%401@127.0.0.1:$port/cam
        watch persistence $url
        lines out 3
        kill -INT $pid
        ends 0 5 "user and password"
        expect 1 'check user and password' score persistence rtsp://op:$secret@127.0.0.1:$port/cam
        ! grep -q $secret err || fail "the message holds the password"
    done
    # A stream is no data set; no message says how it is reached.
    expect 1 'is live' train $url -o run --steps 1
    ! grep -rq $secret . --exclude 'server.*' || fail "train shows the password"
    expect 1 '' eval persistence $url
    ! grep -rq $secret err out || fail "eval shows the password"
    expect 0 '' data check $url
    grep -q 'it is live' out || fail "data check: $(cat out)"
    ! grep -rq $secret err out || fail "data check shows the password"
    expect 2 'MODEL comes first' score $url persistence
    ! grep -q $secret err || fail "MODEL and INPUT swapped: the message holds the password"
}

# Killed, the video plays up to the last fragment, of two seconds.
rtsp_video() {
    rtsp
    watch persistence rtsp://127.0.0.1:$port/cam --video marked.mp4
    lines out 50
    kill -9 $pid
    wait $pid 2>/dev/null
    expect 0 '' score persistence marked.mp4
    has_lines out 20 || fail "a killed run's video plays $(wc -l <out) frames of 50: $(tail -1 err)"
}

# Ctrl-C while it waits for a frozen server
rtsp_frozen_stop() {
    rtsp
    watch persistence rtsp://127.0.0.1:$port/cam
    lines out 5
    kill -STOP $server
    sleep 1
    kill -INT $pid
    ends 0 5 "SIGINT while the server is frozen"
    kill -CONT $server
}

# ---- RTMP, HLS, files ----

rtmp() {
    local port
    port=$($python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    expect 1 'Connection refused; nothing listens there' score persistence rtmp://127.0.0.1:$port/live/cam
    film_of 20 film.flv
    serve ffmpeg -v error -re -i film.flv -c copy -f flv -listen 1 rtmp://127.0.0.1:$port/live/cam
    soon 20 grep -q ":$(printf %04X $port) 00000000:0000 0A" /proc/net/tcp || fail "no RTMP server"
    watch persistence rtmp://127.0.0.1:$port/live/cam --no-reconnect
    lines out 20
    check_live out
    # FFmpeg would wait five seconds for sound before the first frame: 50 frames.
    local last
    last=$(sed -n '20s/.*"frame":\([0-9]*\),.*/\1/p' out)
    [ "$last" -lt 40 ] || fail "RTMP begins late: line 20 is that of frame $last"
    kill -9 $server
    ends 1 15 "a lost RTMP server, --no-reconnect"
}

hls_live() {
    ffmpeg -v error -re -f lavfi -i testsrc2=size=160x120:rate=10 -c:v libx264 -preset ultrafast \
        -threads 1 -g 10 -f hls -hls_time 1 -hls_list_size 4 -hls_flags delete_segments live.m3u8 \
        2>ffmpeg.err </dev/null &
    local maker=$!
    echo $maker >>../pids
    http
    soon 30 grep -q 'live.*ts' live.m3u8 || fail "no playlist: $(tail -1 ffmpeg.err)"
    watch persistence http://127.0.0.1:$port/live.m3u8
    lines out 50
    kill -INT $pid
    ends 0 5 "SIGINT, HLS"
    check_live out
    ! grep -q . err || fail "HLS: $(cat err)"
    watch persistence http://127.0.0.1:$port/live.m3u8 --no-reconnect --timeout 2
    lines out 5
    kill -9 $server $maker
    ends 1 20 "a lost HLS server, --no-reconnect"
}

# A part takes longer than the timeout.
hls_long_parts() {
    ffmpeg -v error -re -f lavfi -i testsrc2=size=160x120:rate=10 -c:v libx264 -preset ultrafast \
        -threads 1 -g 40 -f hls -hls_time 4 -hls_list_size 4 live.m3u8 2>ffmpeg.err </dev/null &
    echo $! >>../pids
    http
    soon 40 grep -q 'live.*ts' live.m3u8 || fail "no playlist: $(tail -1 ffmpeg.err)"
    watch persistence http://127.0.0.1:$port/live.m3u8 --no-reconnect --timeout 2
    lines out 100
    kill -INT $pid
    ends 0 5 "SIGINT, HLS of long parts"
    check_live out
}

# whole INPUT...: exit code 0, 99 lines, seconds up to the last frame's
whole() {
    local input
    for input; do
        expect 0 '' score persistence $input
        [ "$(wc -l <out)" = 99 ] || fail "$input: $(wc -l <out) lines, expected 99"
        tail -1 out | grep -q '"seconds":9.900,' || fail "$input: $(tail -1 out)"
        ! grep -q . err || fail "$input: $(cat err)"
    done
}

files() {
    film_of 10 -movflags faststart a.mp4
    ffmpeg -v error -i a.mp4 -c copy -movflags frag_keyframe+empty_moov+default_base_moof frag.mp4
    ffmpeg -v error -i a.mp4 -c copy -movflags frag_keyframe+default_base_moof+global_sidx sidx.mp4
    ffmpeg -v error -i a.mp4 -c copy a.ts
    ffmpeg -v error -i a.mp4 -c copy a.mkv
    ffmpeg -v error -i a.mp4 -c copy a.h264
    ffmpeg -v error -i a.mp4 -c copy end.mp4
    ffmpeg -v error -i a.mp4 -c copy -f hls -hls_time 1 -hls_list_size 0 vod.m3u8
    sed /ENDLIST/d vod.m3u8 >open.m3u8
    http
    local at=http://127.0.0.1:$port f
    whole a.mp4 file://$PWD/a.mp4 $at/a.mp4 frag.mp4 $at/frag.mp4 sidx.mp4 $at/sidx.mp4 a.h264 \
        $at/a.h264 $at/a.ts $at/a.mkv vod.m3u8 $at/vod.m3u8
    expect 0 '' score persistence open.m3u8 --timeout 1
    has_lines out 98 || fail "a playlist without an end: $(wc -l <out) lines, expected 98"
    expect 1 'its index stands at its end' score persistence $at/end.mp4
    expect 1 '404 Not Found; check the path' score persistence $at/none.mp4
    cat a.ts a.ts >joined.ts
    expect 0 '' score persistence joined.ts # a frame at the joint counts as damaged, none is after it
    [ "$(wc -l <out)" = 198 ] || fail "joined: $(wc -l <out) lines, expected 198"
    tail -1 out | grep -q '"seconds":19.900,' || fail "joined: $(tail -1 out)"
    expect 0 'done ' train "$at/a.mp4?token=$secret" -o run "${small[@]}" --steps 2 --interval 0
    grep -q 'a.mp4?\*\*\*' err || fail "train over HTTP: $(cat err)"
    npy labels.npy '|u1' 1 100
    printf '\1\1\1' | dd of=labels.npy bs=1 seek=$(($(stat -c %s labels.npy) - 3)) conv=notrunc 2>/dev/null
    expect 0 '' eval run "$at/a.mp4?token=$secret" --labels labels.npy -o report
    ! grep -rq $secret err out run report || fail "the token of an address is stored"
    for f in a.ts frag.mp4 a.h264; do
        "$normalcy" score persistence - <$f >out 2>err && [ "$(wc -l <out)" = 99 ] ||
            fail "- of the file $f: $(wc -l <out) lines: $(tail -1 err)"
        cat $f | "$normalcy" score persistence - >out 2>err && [ "$(wc -l <out)" = 99 ] ||
            fail "- of a pipe with $f: $(wc -l <out) lines: $(tail -1 err)"
        mkfifo pipe.$f && cat $f >pipe.$f &
        soon 5 test -p pipe.$f
        expect 0 '' score persistence pipe.$f
        [ "$(wc -l <out)" = 99 ] || fail "a named pipe with $f: $(wc -l <out) lines"
    done
    "$normalcy" score persistence - <end.mp4 >out 2>err || fail "- of a file that is sought: $(cat err)"
    cat end.mp4 | "$normalcy" score persistence - >out 2>err && fail "a pipe that must be sought"
    grep -q 'its index stands at its end.*faststart' err || fail "a pipe that must be sought: $(cat err)"
}

# ---- addresses that are wrong ----

addresses() {
    local url
    for url in "rtsp://op:$secret@127.0.0.1:9/cam" "rtsp://op:ge/$secret@127.0.0.1:9/cam" \
        "rtsp://op:ge?$secret@127.0.0.1:9/cam" "rtsp://op:ge#$secret@127.0.0.1:9/cam" \
        "rtsp://op:ge@$secret/m@127.0.0.1:9/cam" "rtsp://op:%$secret@127.0.0.1:9/cam" \
        "http://127.0.0.1:9/videostream.cgi?user=op&pwd=$secret" \
        "rtsp://127.0.0.1:9/user=op_password=${secret}_channel=1.sdp" "op:$secret@127.0.0.1/cam" \
        "http:/127.0.0.1:9/cam?pwd=$secret" "rtmp://127.0.0.1:9/live/cam?token=$secret" \
        "file://op:$secret@127.0.0.1/cam"; do
        expect 1 '\*\*\*' score persistence "$url" --video v.mp4 -o o.jsonl
        ! grep -q $secret err || fail "$url is shown: $(cat err)"
    done
    url=rtsp://op:ge/$secret@127.0.0.1:9/cam
    expect 1 '\*\*\*' info "$url"
    ! grep -q $secret err || fail "info: $(cat err)"
    expect 2 '\*\*\*' score persistence x "$url"
    ! grep -q $secret err || fail "an argument too many: $(cat err)"
    expect 1 'write it as %2F' score persistence "rtsp://op:ge/$secret@127.0.0.1:9/cam"
    expect 1 'write it as %23' score persistence "rtsp://op:ge#$secret@127.0.0.1:9/cam"
    expect 1 'Connection refused; nothing listens' score persistence rtsp://127.0.0.1:9/cam
    expect 1 'Invalid argument; check the address' score persistence rtsp://127.0.0.1:99999/cam
    expect 1 "check the host's name" score persistence rtsp://no.such.host.invalid/cam
    expect 1 'Protocol not found; ' score persistence nosuch://127.0.0.1/cam
    expect 1 'Connection refused' score persistence "http://127.0.0.1:9/$(printf '%3000s' | tr ' ' a)"
    [ ! -e o.jsonl ] && [ ! -e v.mp4 ] || fail "a source that was never there left files"
}

expect 0 'done ' train "$("$make_scene" data && echo data)" -o stacked "${small[@]}" --frames 3 --steps 2
cases="rtsp_tcp rtsp_udp rtsp_ends rtsp_frozen rtsp_comes_back rtsp_password rtsp_video
    rtsp_frozen_stop rtmp hls_live hls_long_parts files addresses"
workers=
for name in ${STREAMS:-$cases}; do
    mkdir $name
    (
        cd $name || exit 1
        checks=0 failures=0 begin=$SECONDS
        $name
        echo "$checks $failures" >tally
        echo "$name: $checks runs, $failures failures, $((SECONDS - begin)) s"
    ) 2>$name.messages &
    workers="$workers $!"
done
for worker in $workers; do wait $worker; done
for name in ${STREAMS:-$cases}; do
    grep -v 'Killed\|Terminated' $name.messages >&2
    read -r ran failed <$name/tally || { ran=0 failed=1; fail "$name came to no end"; }
    checks=$((checks + ran)) failures=$((failures + failed))
done
finish
