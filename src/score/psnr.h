/* One rule for the PSNR of a frame that equals its prediction: infinite inside the program, 100 dB
 * wherever a person or another program sees it, since JSON has no infinity. A higher PSNR, which
 * only frames that differ by less than a grey level have, is 100 dB, too. */
#ifndef SCORE_PSNR_H
#define SCORE_PSNR_H

enum { PSNR_EQUAL = 100 }; /* dB */

/* The PSNR to write: at most PSNR_EQUAL. NaN, no score, stays NaN. */
double psnr_shown(double psnr);

/* The other way: infinite from PSNR_EQUAL on. */
double psnr_read(double shown);

#endif
