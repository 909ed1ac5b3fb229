#include "video/source_options.h"

const Opt source_options[] = {
    OPT_REAL_ROW(SourceOptions, timeout, "timeout", "10", 0.1, 86400,
                 "seconds without a byte until a stream or camera counts as gone"),
    OPT_FLAG_ROW(SourceOptions, no_reconnect, "no-reconnect",
                 "end with an error if a stream or camera is lost, for scripts"),
    OPT_END,
};
