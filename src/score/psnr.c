#include "score/psnr.h"

#include <math.h>

double psnr_shown(double psnr) {
    return psnr > PSNR_EQUAL ? PSNR_EQUAL : psnr;
}

double psnr_read(double shown) {
    return shown >= PSNR_EQUAL ? INFINITY : shown;
}
