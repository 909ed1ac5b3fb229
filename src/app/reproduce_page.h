/* The HTML page about a reproduction. */
#ifndef APP_REPRODUCE_PAGE_H
#define APP_REPRODUCE_PAGE_H

#include "app/reproduce.h"

/* With `pictures` also the paper's Fig. 2, where its two rows are there; that takes seconds. Where
 * it cannot be drawn, the page and a warning say why. */
int reproduce_page(const Reproduction *r, const char *path, bool pictures);

#endif
