#!/bin/sh
# Makes sure that the Debian packages normalcy needs are installed; silent when they are.
# usage: tools/deps.sh [build|check|fuzz|bench]...     without a purpose: build and check
set -eu

build='build-essential cmake ninja-build pkg-config
    libavformat-dev libavcodec-dev libavutil-dev libswscale-dev libavdevice-dev
    libmatio-dev libyaml-dev libjansson-dev libzip-dev'
check='clang-format clang-tidy groff-base libcmocka-dev python3 valgrind
    ffmpeg python3-gi gir1.2-gst-rtsp-server-1.0
    gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly'
fuzz='clang libclang-rt-dev'
bench='ffmpeg python3-venv python3-dev libtcmalloc-minimal4'

wanted=
for purpose in "${@:-build check}"; do
    for word in $purpose; do
        case $word in
        build) wanted="$wanted $build" ;;
        check) wanted="$wanted $check" ;;
        fuzz) wanted="$wanted $fuzz" ;;
        bench) wanted="$wanted $bench" ;;
        *)
            echo "deps.sh: expected build, check, fuzz or bench; found \"$word\"" >&2
            exit 2
            ;;
        esac
    done
done

if ! command -v dpkg-query >/dev/null; then
    echo "deps.sh: no Debian here; the build looks for what these packages hold:" $wanted >&2
    exit 0
fi

installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' $wanted 2>/dev/null || true)
missing=
for package in $wanted; do
    case "
$installed
" in
    *"
installed $package
"*) ;;
    *) missing="$missing $package" ;;
    esac
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then
    as_root=env
elif command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
    as_root='sudo env' # asks for the password, where there is somebody to ask
else
    echo "deps.sh: packages are missing; install them with" >&2
    echo "    sudo apt-get install$missing" >&2
    exit 1
fi

echo "deps.sh: installing$missing" >&2
install() {
    $as_root DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -q --no-install-recommends $missing >&2
}
# Package lists are fetched only where the ones at hand do not do.
install || { $as_root apt-get update -q >&2 && install; }
