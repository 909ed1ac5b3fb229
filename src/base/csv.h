/* Tables as text, RFC 4180. */
#ifndef BASE_CSV_H
#define BASE_CSV_H

#include <stdbool.h>
#include <stddef.h>

/* Copies the field at *at (RFC 4180) into buf without its quotes, cut to fit. Moves *at behind the
 * field and its comma or line end. Returns false if the field was the last of its line. */
bool csv_field(const char **at, char *buf, size_t n);

#endif
