/* The reference: plain loops that define every operation. */
#ifndef COMPUTE_REF_REF_H
#define COMPUTE_REF_REF_H

#include "compute/backend.h"

/* Fills every entry of the table. Cannot fail; the int is for the row in backends.c. */
int ref_open(Backend *be);

/* Called by ref_open; each fills the entries of its file. */
void ref_linear(Backend *be);
void ref_attention(Backend *be);
void ref_image(Backend *be);
void ref_memory(Backend *be);
void ref_flow(Backend *be);

#endif
