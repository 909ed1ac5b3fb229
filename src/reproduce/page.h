/* The HTML page about a reproduction. */
#ifndef REPRODUCE_PAGE_H
#define REPRODUCE_PAGE_H

#include "reproduce/state.h"

/* With `pictures` also the paper's Fig. 2, where its two rows are there; that takes seconds. Where
 * it cannot be drawn, the page and a warning say why. */
int reproduce_page(const Reproduction *r, const char *path, bool pictures);

#endif
