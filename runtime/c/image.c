/* Pictures: resizing, an even background, turning, the digit in a box and the strip of a line. All pixels are the same to
 * the last bit as those of the Python files that are named, on every machine: whole numbers, and double precision where
 * nothing is added up in an order of its own. */
#include "internal.h"

#define DG_PIXELS (DIGITOCR_SIDE * DIGITOCR_SIDE)
#define DG_CUBIC_ONE (1 << DG_RESAMPLING_CUBIC_BITS)
#define DG_SOME 256 /* pixels of a row that are kept on the stack */
#define DG_LARGEST_SQUARE (1 << 24) /* pixels; a larger one is a box of nonsense, and its sums would not fit */

static uint8_t dg_level(int32_t value) { return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value); }

static int32_t dg_limited(int32_t value, int32_t low, int32_t high) {
    return value < low ? low : value > high ? high : value;
}

/* The nearest whole number, limited to what 31 bits hold. */
static int32_t dg_round_to_int(double value) {
    if (!(value > -1073741824.0)) return -1073741824;
    return value < 1073741824.0 ? (int32_t)dg_round(value) : 1073741824;
}

static int32_t dg_longer(int32_t width, int32_t height) { return width > height ? width : height; }

static const uint8_t *dg_line_of(const struct digitocr_picture *picture, int32_t row) {
    return picture->pixels + (ptrdiff_t)row * picture->stride;
}

/* A new picture in the arena; NULL where it is too small. Its pixels lie row by row without gaps. */
static uint8_t *dg_take_picture(struct dg_arena *arena, int32_t width, int32_t height, struct digitocr_picture *made) {
    int is_small = (uint64_t)width * (uint64_t)height <= (size_t)-1 / 2; /* of what a machine of 32 bits can hold */
    uint8_t *pixels = is_small ? dg_take(arena, (size_t)width * (size_t)height) : NULL;
    made->pixels = pixels;
    made->width = width;
    made->height = height;
    made->stride = width;
    return pixels;
}

/* --- Interpolation and views --------------------------------------------------------------------------------------- */

/* Where a new pixel lies between two old ones, as OpenCV's INTER_LINEAR_EXACT has it: the first of them, and how much of
 * 256 the second one counts. */
static int32_t dg_between(int32_t place, double scale, int32_t old, int32_t *second) {
    double exact = scale * ((double)place + 0.5) - 0.5, whole = dg_floor(exact);
    *second = 0;
    if (whole < 0.0 || old < 2) return 0;
    if (whole >= (double)(old - 1)) return old - 1;
    *second = (int32_t)dg_round((exact - whole) * 256.0);
    return (int32_t)whole;
}

static double dg_linear_scale(int32_t old, int32_t made) { return 1.0 / ((double)made / (double)old); }

/* Interpolates `count` columns of a picture of a new size, from `left` on, row by row, as INTER_LINEAR_EXACT does. Two old
 * rows are kept, interpolated between their columns: 256 times the levels. */
static int dg_begin_linear(struct dg_linear *linear, const struct digitocr_picture *picture, int32_t width,
                           int32_t height, int32_t left, int32_t count, struct dg_arena *arena) {
    linear->picture = *picture;
    linear->left = left;
    linear->count = count;
    linear->across = dg_linear_scale(picture->width, width);
    linear->down = dg_linear_scale(picture->height, height);
    linear->rows[0] = linear->rows[1] = -1;
    linear->lines[0] = dg_take(arena, (size_t)count * sizeof(uint16_t));
    linear->lines[1] = dg_take(arena, (size_t)count * sizeof(uint16_t));
    return linear->lines[0] && linear->lines[1] ? DIGITOCR_OK : DIGITOCR_ERROR_MEMORY;
}

static const uint16_t *dg_linear_line(struct dg_linear *linear, int32_t row) {
    int32_t place = row % 2, column, second; /* two neighbouring rows are never in one place */
    const uint8_t *from = dg_line_of(&linear->picture, row);
    uint16_t *to = linear->lines[place];
    if (linear->rows[place] == row) return to;
    linear->rows[place] = row;
    for (column = 0; column < linear->count; column++) {
        int32_t first = dg_between(linear->left + column, linear->across, linear->picture.width, &second);
        to[column] = (uint16_t)(from[first] * (256 - second) + (second ? from[first + 1] * second : 0));
    }
    return to;
}

/* The two lines between which a new row lies, and how much of 256 the second one counts. */
static int32_t dg_linear_rows(struct dg_linear *linear, int32_t row, const uint16_t **first, const uint16_t **second) {
    int32_t share, at = dg_between(row, linear->down, linear->picture.height, &share);
    *first = dg_linear_line(linear, at);
    *second = share ? dg_linear_line(linear, at + 1) : *first;
    return share;
}

/* Levels between two lines. */
static void dg_linear_levels(const uint16_t *restrict first, const uint16_t *restrict second, int32_t share, int32_t count,
                             uint8_t *restrict to) {
    const uint16_t one = (uint16_t)(256 - share), other = (uint16_t)share;
    DG_EACH(n, count, to[n] = (uint8_t)(((uint32_t)first[n] * one + (uint32_t)second[n] * other + 32768u) >> 16));
}

/* Adds the levels of a line so many times. */
static void dg_add_levels(uint32_t *restrict sums, const uint8_t *restrict line, uint32_t times, int32_t count) {
    DG_EACH(n, count, sums[n] += times * line[n]);
}

/* The levels of a line, of which those of its background become the same. */
static void dg_even_levels(const uint8_t *restrict line, int32_t count, uint8_t *restrict background) {
    DG_EACH(n, count, background[n] = dg_level(line[n] - background[n] + DG_BACKGROUND_EVEN_LEVEL));
}

/* A pixel of a picture that is halved so often, from its first pixel on, each time by the rounded means of 2x2 pixels. It
 * calls itself for each halving but the first. */
static int32_t dg_halved(const uint8_t *at, ptrdiff_t stride, int32_t halvings) {
    const uint8_t *under;
    ptrdiff_t half;
    if (!halvings) return *at;
    if (halvings == 1) return (at[0] + at[1] + at[stride] + at[stride + 1] + 2) / 4;
    half = (ptrdiff_t)1 << --halvings;
    under = at + half * stride;
    return (dg_halved(at, stride, halvings) + dg_halved(at + half, stride, halvings) +
            dg_halved(under, stride, halvings) + dg_halved(under + half, stride, halvings) + 2) / 4;
}

struct dg_view dg_view_of(const struct digitocr_picture *picture, int32_t border, int32_t level) {
    struct dg_view view;
    memset(&view, 0, sizeof view);
    view.picture = *picture;
    view.border = border;
    view.level = level;
    view.width = picture->width + 2 * border;
    view.height = picture->height + 2 * border;
    return view;
}

int dg_is_plain(const struct dg_view *view) { return !view->border && !view->background.pixels; }

int dg_begin_rows(struct dg_rows *rows, const struct dg_view *view, int32_t left, int32_t count,
                         struct dg_arena *arena) {
    rows->view = view;
    rows->left = left;
    rows->count = count;
    if (!view->background.pixels) return DIGITOCR_OK;
    return dg_begin_linear(&rows->background, &view->background, view->width, view->height, left, count, arena);
}

size_t dg_rows_bytes(int32_t count) { return 2 * DG_BYTES((size_t)count * sizeof(uint16_t)); }

const uint8_t *dg_view_row(struct dg_rows *rows, int32_t row, uint8_t *buffer) {
    const struct dg_view *view = rows->view;
    int32_t border = view->border, inner = row - border, first = rows->left - border, column;
    const uint8_t *from;
    if (!border) {
        from = dg_line_of(&view->picture, row) + rows->left;
        if (!view->background.pixels) return from;
    } else {
        int32_t halvings = view->halvings, width = view->picture.width >> halvings;
        int32_t start = dg_limited(first, 0, width), end = dg_limited(first + rows->count, 0, width);
        from = buffer;
        memset(buffer, view->level, (size_t)rows->count);
        if (inner >= 0 && inner < view->picture.height >> halvings) {
            const uint8_t *line = dg_line_of(&view->picture, inner << halvings);
            if (!halvings && end > start) memcpy(buffer + (start - first), line + start, (size_t)(end - start));
            for (column = start; halvings && column < end; column++)
                buffer[column - first] =
                    (uint8_t)dg_halved(line + ((ptrdiff_t)column << halvings), view->picture.stride, halvings);
        }
    }
    if (view->background.pixels) {
        const uint16_t *upper, *lower;
        int32_t share = dg_linear_rows(&rows->background, row, &upper, &lower);
        for (column = 0; column < rows->count; column += DG_SOME) {
            int32_t count = rows->count - column < DG_SOME ? rows->count - column : DG_SOME;
            uint8_t levels[DG_SOME];
            dg_linear_levels(upper + column, lower + column, share, count, levels);
            dg_even_levels(from + column, count, levels);
            memcpy(buffer + column, levels, (size_t)count);
        }
    }
    return buffer;
}

/* --- Averages (resampling.averaged) ------------------------------------------------------------------------------- */

/* One side of a picture that is reduced. Old and new pixels are measured in parts, so that both are whole. */
struct dg_side {
    int32_t count;              /* of old pixels */
    int64_t first, other, last; /* parts of the first old pixel, of each of the others, and of the last one */
    int32_t made;               /* new pixels */
    int64_t each;               /* parts of each of these */
};

static struct dg_side dg_side_of(int32_t old, int32_t made) {
    struct dg_side side;
    side.count = old;
    side.first = side.other = side.last = made;
    side.made = made;
    side.each = old;
    return side;
}

/* The same for a square of which a part may lie beyond a picture's edges, whose pixels are repeated. */
static struct dg_side dg_side_of_square(int32_t start, int32_t length, int32_t old, int32_t made, int32_t *first) {
    struct dg_side side = dg_side_of(length, made);
    int32_t low = dg_limited(start, 0, old - 1), high = dg_limited(start + length - 1, 0, old - 1);
    side.count = high - low + 1;
    if (low > start) side.first = (int64_t)made * (dg_limited(low - start, 0, length - 1) + 1);
    if (high < start + length - 1) side.last = (int64_t)made * (dg_limited(start + length - 1 - high, 0, length - 1) + 1);
    if (side.count == 1) side.first = side.last = (int64_t)made * length;
    *first = low;
    return side;
}

/* The means over the areas of new pixels, to the nearest level, halves upwards, of every `step`-th pixel and row of a view
 * from the row `top` on. First the rows are added up, then the columns of the sums. */
static int dg_average_area(struct dg_rows *rows, int32_t top, int32_t step, const struct dg_side *across,
                           const struct dg_side *down, struct dg_arena *arena, uint8_t *to) {
    unsigned char *mark = arena->at;
    uint32_t *sums = dg_take(arena, (size_t)across->count * sizeof *sums);
    uint8_t *buffer = dg_take(arena, (size_t)rows->count);
    const uint8_t *line = NULL;
    uint64_t area = (uint64_t)across->each * (uint64_t)down->each;
    int64_t rest = down->first;
    int32_t left = down->count - 1, row, column, made;
    arena->at = mark;
    if (!sums || !buffer) return DIGITOCR_ERROR_MEMORY;
    for (row = 0; row < down->made; row++) {
        int64_t need = down->each;
        memset(sums, 0, (size_t)across->count * sizeof *sums);
        while (need) {
            int64_t share = rest < need ? rest : need;
            const uint32_t times = (uint32_t)share;
            if (!line) line = dg_view_row(rows, top, buffer);
            if (step == 1)
                dg_add_levels(sums, line, times, across->count);
            else
                for (column = 0; column < across->count; column++) sums[column] += times * line[(ptrdiff_t)column * step];
            need -= share;
            rest -= share;
            if (!rest && left) {
                top += step;
                rest = --left ? down->other : down->last;
                line = NULL;
            }
        }
        {
            const uint32_t *sum = sums;
            int64_t parts = across->first; /* of the old pixel that are left */
            int32_t behind = across->count - 1;
            for (made = 0; made < across->made; made++) {
                uint64_t total = area / 2, whole = 0;
                need = across->each;
                while (parts <= need) {
                    total += (uint64_t)parts * *sum;
                    need -= parts;
                    if (!behind) break; /* it was the last one, and nothing is needed any more */
                    sum++;
                    parts = --behind ? across->other : across->last;
                    while (behind && need >= across->other) {
                        whole += *sum++;
                        need -= across->other;
                        parts = --behind ? across->other : across->last;
                    }
                }
                total += (uint64_t)need * *sum + whole * (uint64_t)across->other;
                parts -= need;
                *to++ = (uint8_t)(total / area);
            }
        }
    }
    return DIGITOCR_OK;
}

/* Bytes that it takes for a while, of `count` pixels in a row of which those of every step are averaged. */
static size_t dg_average_bytes(int32_t count) {
    return DG_BYTES((size_t)count * sizeof(uint32_t)) + DG_BYTES((size_t)count);
}

/* --- Sizes and the background (background.py) --------------------------------------------------------------------- */

void dg_fitted(int32_t width, int32_t height, int32_t side, int32_t *fitted_width, int32_t *fitted_height) {
    double shrink = (double)side / (double)dg_longer(width, height);
    *fitted_width = dg_limited(dg_round_to_int((double)width * shrink), 1, side);
    *fitted_height = dg_limited(dg_round_to_int((double)height * shrink), 1, side);
}

int dg_shrunk(const struct dg_view *view, int32_t side, struct dg_arena *arena, struct dg_view *made) {
    struct digitocr_picture picture;
    struct dg_side across, down;
    struct dg_rows rows;
    int32_t width, height;
    uint8_t *pixels;
    int error;
    if (dg_longer(view->width, view->height) <= side) {
        *made = *view;
        return DIGITOCR_OK;
    }
    dg_fitted(view->width, view->height, side, &width, &height);
    across = dg_side_of(view->width, width);
    down = dg_side_of(view->height, height);
    pixels = dg_take_picture(arena, width, height, &picture);
    if (!pixels) return DIGITOCR_ERROR_MEMORY;
    *made = dg_view_of(&picture, 0, 0);
    {
        unsigned char *mark = arena->at;
        error = dg_begin_rows(&rows, view, 0, view->width, arena);
        if (!error) error = dg_average_area(&rows, 0, 1, &across, &down, arena, pixels);
        arena->at = mark;
    }
    return error;
}

size_t dg_shrunk_bytes(int32_t width, int32_t height, int32_t side) {
    int32_t new_width, new_height;
    if (dg_longer(width, height) <= side) return 0;
    dg_fitted(width, height, side, &new_width, &new_height);
    return DG_BYTES((size_t)new_width * (size_t)new_height) + dg_average_bytes(width);
}

/* The median in a window of DG_BACKGROUND_MEDIAN_WINDOW pixels around each pixel; edge pixels are repeated. The levels in
 * the window are counted, and the counts change little from one pixel to the next. */
static void dg_median(const struct digitocr_picture *picture, uint8_t *to) {
    const int32_t reach = DG_BACKGROUND_MEDIAN_WINDOW / 2;
    const int32_t half = DG_BACKGROUND_MEDIAN_WINDOW * DG_BACKGROUND_MEDIAN_WINDOW / 2;
    int32_t row, column, k;
    for (row = 0; row < picture->height; row++) {
        const uint8_t *lines[DG_BACKGROUND_MEDIAN_WINDOW];
        int32_t counts[256], median = 0, below = 0; /* how many levels of the window are below the median */
        memset(counts, 0, sizeof counts);
        for (k = -reach; k <= reach; k++) lines[k + reach] = dg_line_of(picture, dg_limited(row + k, 0, picture->height - 1));
        for (column = -reach; column <= reach; column++)
            for (k = 0; k <= 2 * reach; k++) counts[lines[k][dg_limited(column, 0, picture->width - 1)]]++;
        for (column = 0; column < picture->width; column++) {
            int32_t enters = dg_limited(column + reach + 1, 0, picture->width - 1);
            int32_t leaves = dg_limited(column - reach, 0, picture->width - 1);
            while (below > half) below -= counts[--median];
            while (below + counts[median] <= half) below += counts[median++];
            *to++ = (uint8_t)median;
            for (k = 0; k <= 2 * reach; k++) {
                counts[lines[k][enters]]++;
                below += lines[k][enters] < median;
                counts[lines[k][leaves]]--;
                below -= lines[k][leaves] < median;
            }
        }
    }
}

int dg_find_background(const struct dg_view *view, struct dg_arena *arena, struct dg_view *made) {
    int32_t longer = dg_longer(view->width, view->height), width, height, row;
    int32_t step = longer / (4 * DG_BACKGROUND_MEDIAN_SIDE) > 1 ? longer / (4 * DG_BACKGROUND_MEDIAN_SIDE) : 1;
    struct digitocr_picture small, background, copy;
    struct dg_rows rows;
    struct dg_linear linear;
    unsigned char *mark;
    uint8_t *pixels, *medians, *copied;
    int error;
    dg_fitted(view->width, view->height, DG_BACKGROUND_MEDIAN_SIDE, &width, &height);
    medians = dg_take_picture(arena, width, height, &background);
    mark = arena->at;
    pixels = dg_take_picture(arena, width, height, &small);
    if (!medians || !pixels) return DIGITOCR_ERROR_MEMORY;
    error = dg_begin_rows(&rows, view, 0, view->width, arena);
    if (!error && longer > DG_BACKGROUND_MEDIAN_SIDE) {
        struct dg_side across = dg_side_of((view->width + step - 1) / step, width);
        struct dg_side down = dg_side_of((view->height + step - 1) / step, height);
        error = dg_average_area(&rows, 0, step, &across, &down, arena, pixels);
    } else if (!error) {
        copied = dg_take_picture(arena, view->width, view->height, &copy);
        if (!copied) return DIGITOCR_ERROR_MEMORY;
        for (row = 0; row < view->height; row++) {
            uint8_t *to = copied + row * view->width;
            const uint8_t *from = dg_view_row(&rows, row, to);
            if (from != to) memcpy(to, from, (size_t)view->width);
        }
        error = dg_begin_linear(&linear, &copy, width, height, 0, width, arena);
        for (row = 0; row < height && !error; row++) {
            const uint16_t *first, *second;
            int32_t share = dg_linear_rows(&linear, row, &first, &second);
            dg_linear_levels(first, second, share, width, pixels + row * width);
        }
    }
    if (!error) dg_median(&small, medians);
    *made = *view;
    made->background = background;
    arena->at = mark;
    return error;
}

size_t dg_background_bytes(int32_t width) {
    size_t side = DG_BACKGROUND_MEDIAN_SIDE, some = DG_BYTES(side * side), lines = dg_rows_bytes(DG_BACKGROUND_MEDIAN_SIDE);
    size_t average = dg_average_bytes(width);
    return 2 * some + (average > some + lines ? average : some + lines);
}

int dg_even_in_place(const struct digitocr_picture *picture, uint8_t *pixels, struct dg_arena *arena) {
    unsigned char *mark = arena->at;
    struct dg_view view = dg_view_of(picture, 0, 0), even;
    struct dg_rows rows;
    int32_t row;
    int error = dg_find_background(&view, arena, &even);
    if (!error) error = dg_begin_rows(&rows, &even, 0, picture->width, arena);
    for (row = 0; row < picture->height && !error; row++) dg_view_row(&rows, row, pixels + row * picture->stride);
    arena->at = mark;
    return error;
}

size_t dg_even_in_place_bytes(int32_t width) {
    size_t lines = DG_BYTES(DG_BACKGROUND_MEDIAN_SIDE * DG_BACKGROUND_MEDIAN_SIDE) + dg_rows_bytes(width);
    size_t background = dg_background_bytes(width);
    return background > lines ? background : lines;
}

int dg_is_close_up(int32_t width, int32_t height, const struct digitocr_box *boxes, int32_t count) {
    float least = (float)(DG_BACKGROUND_CLOSE_UP * (double)dg_longer(width, height));
    int32_t n;
    for (n = 0; n < count; n++)
        if (boxes[n].width >= least || boxes[n].height >= least) return 1;
    return 0;
}

int dg_shadeless(const struct dg_view *view, const struct digitocr_box *boxes, int32_t count, struct dg_arena *arena,
                 struct dg_view *made) {
    if (!dg_is_close_up(view->width, view->height, boxes, count)) return dg_find_background(view, arena, made);
    *made = *view;
    return DIGITOCR_OK;
}

/* --- The digit in a box (preprocessing.py) ------------------------------------------------------------------------ */

/* The weights of four old pixels for each of 28 new ones, and the first of them (resampling._cubic_weights). */
static void dg_cubic_weights(int32_t old, int32_t *firsts, int32_t (*weights)[4]) {
    const int64_t one = 2 * DIGITOCR_SIDE, unit = 4 * one * one * one;
    int32_t place, k;
    for (place = 0; place < DIGITOCR_SIDE; place++) {
        int64_t at = (2 * place + 1) * (int64_t)old - DIGITOCR_SIDE + one, f = at % one, g = one - f, exact[4];
        int32_t rest = DG_CUBIC_ONE;
        firsts[place] = (int32_t)(at / one) - 2; /* one was added to at, so that it is not below 0 */
        exact[0] = -3 * f * g * g;
        exact[1] = 5 * f * f * f - 9 * one * f * f + 4 * one * one * one;
        exact[2] = 5 * g * g * g - 9 * one * g * g + 4 * one * one * one;
        exact[3] = -3 * f * f * g;
        for (k = 0; k < 4; k++) { /* to the nearest; the unit is added and taken off, so that nothing is below 0 */
            int64_t twice = 2 * (exact[k] + unit) * DG_CUBIC_ONE + unit;
            weights[place][k] = (int32_t)(twice / (2 * unit)) - DG_CUBIC_ONE;
            rest -= weights[place][k];
        }
        weights[place][f < g ? 1 : 2] += rest;
    }
}

/* A square of a view enlarged to 28x28 pixels; beyond the view its edge pixels are repeated. `rows` are those of all its
 * columns that the square sees. */
static void dg_enlarge(struct dg_rows *rows, int32_t left, int32_t top, int32_t side, uint8_t *crop) {
    int32_t firsts[DIGITOCR_SIDE], weights[DIGITOCR_SIDE][4], lines[4][DIGITOCR_SIDE], ready[4] = {-9, -9, -9, -9};
    int32_t row, column, k;
    dg_cubic_weights(side, firsts, weights);
    for (row = 0; row < DIGITOCR_SIDE; row++) {
        const int32_t *of[4];
        for (k = 0; k < 4; k++) {
            int32_t at = dg_limited(firsts[row] + k, 0, side - 1), *to = lines[at % 4];
            if (ready[at % 4] != at) {
                uint8_t levels[DIGITOCR_SIDE], buffer[DIGITOCR_SIDE];
                const uint8_t *line = dg_view_row(rows, dg_limited(top + at, 0, rows->view->height - 1), buffer);
                for (column = 0; column < side; column++)
                    levels[column] = line[dg_limited(left + column - rows->left, 0, rows->count - 1)];
                for (column = 0; column < DIGITOCR_SIDE; column++) {
                    int32_t sum = 0, n;
                    for (n = 0; n < 4; n++)
                        sum += weights[column][n] * levels[dg_limited(firsts[column] + n, 0, side - 1)];
                    to[column] = sum;
                }
                ready[at % 4] = at;
            }
            of[k] = to;
        }
        for (column = 0; column < DIGITOCR_SIDE; column++) {
            int32_t sum = DG_CUBIC_ONE * DG_CUBIC_ONE / 2; /* at most 1.375^2 * 255 * 2^22, which 31 bits hold */
            for (k = 0; k < 4; k++) sum += weights[row][k] * of[k][column];
            *crop++ = sum < 0 ? 0 : dg_level(sum / (DG_CUBIC_ONE * DG_CUBIC_ONE));
        }
    }
}

int dg_crop(const struct dg_view *view, const struct digitocr_box *box, struct dg_arena *arena, uint8_t *crop) {
    unsigned char *mark = arena->at;
    double x = (double)box->x, y = (double)box->y, w = (double)box->width, h = (double)box->height;
    int32_t side = dg_round_to_int((w > h ? w : h) * DIGITOCR_SIDE / DG_PREPROCESSING_DIGIT_SIDE), left, top;
    int32_t first_column, first_row;
    struct dg_side across, down;
    struct dg_rows rows;
    int error;
    side = dg_limited(side, 2, DG_LARGEST_SQUARE);
    left = dg_round_to_int(x + (w - (double)side) / 2.0);
    top = dg_round_to_int(y + (h - (double)side) / 2.0);
    across = dg_side_of_square(left, side, view->width, DIGITOCR_SIDE, &first_column);
    down = dg_side_of_square(top, side, view->height, DIGITOCR_SIDE, &first_row);
    error = dg_begin_rows(&rows, view, first_column, across.count, arena);
    if (!error && side > DIGITOCR_SIDE)
        error = dg_average_area(&rows, first_row, 1, &across, &down, arena, crop);
    else if (!error)
        dg_enlarge(&rows, left, top, side, crop);
    if (!error) dg_normalise(crop);
    arena->at = mark;
    return error;
}

size_t dg_crop_bytes(int32_t width) { return dg_rows_bytes(width) + dg_average_bytes(width); }

/* The value of a rank, from the least, by how often each value occurs. */
static int32_t dg_ranked(const int32_t *counts, int32_t rank) {
    int32_t value = 0;
    while (rank >= counts[value]) rank -= counts[value++];
    return value;
}

void dg_normalise(uint8_t *levels) {
    const int32_t margin = DG_PREPROCESSING_POLARITY_MARGIN, inner = DIGITOCR_SIDE - 2 * margin;
    int32_t counts[512], background, full, row, column, n;
    int64_t skew = 0;
    float factor;
    memset(counts, 0, sizeof counts);
    for (n = 0; n < DG_PIXELS; n++) counts[levels[n]]++;
    background = dg_ranked(counts, DG_PIXELS / 2);
    for (row = margin; row < margin + inner; row++)
        for (column = margin; column < margin + inner; column++) {
            int64_t difference = levels[row * DIGITOCR_SIDE + column] - background;
            skew += difference * difference * difference;
        }
    memset(counts, 0, sizeof counts);
    for (row = margin; row < margin + inner; row++)
        for (column = margin; column < margin + inner; column++) {
            int32_t difference = levels[row * DIGITOCR_SIDE + column] - background;
            counts[256 + (skew < 0 ? -difference : difference)]++;
        }
    full = dg_ranked(counts, (int32_t)(DG_PREPROCESSING_FULL_INK_QUANTILE * (double)(inner * inner - 1))) - 256;
    factor = (skew < 0 ? -255.0F : 255.0F) /
             ((float)full > (float)DG_PREPROCESSING_MIN_CONTRAST ? (float)full : (float)DG_PREPROCESSING_MIN_CONTRAST);
    for (n = 0; n < DG_PIXELS; n++) {
        float level = (float)(levels[n] - background) * factor;
        levels[n] = (uint8_t)(level < 0.0F ? 0.0F : level > 255.0F ? 255.0F : level);
    }
}

void dg_lone(const struct digitocr_picture *picture, uint8_t *crop) {
    int32_t all = 0, upper = 0, lit = 0, row, column, n;
    for (row = 0; row < DIGITOCR_SIDE; row++)
        for (column = 0; column < DIGITOCR_SIDE; column++) {
            uint8_t level = dg_line_of(picture, row)[column];
            crop[row * DIGITOCR_SIDE + column] = level;
            all += level;
            if (!row) upper += level;
        }
    for (n = 0; n < DG_PIXELS; n++) {
        if (all < DIGITOCR_SIDE * upper) crop[n] = (uint8_t)(255 - crop[n]);
        lit += crop[n] > 0;
    }
    if ((double)lit > DG_PREPROCESSING_MAX_LIT_SHARE * DG_PIXELS) dg_normalise(crop);
}

static void dg_range(const struct digitocr_picture *picture, int32_t *low, int32_t *high) {
    int32_t row, column;
    *low = 255;
    *high = 0;
    for (row = 0; row < picture->height; row++) {
        const uint8_t *line = dg_line_of(picture, row);
        for (column = 0; column < picture->width; column++) {
            if (line[column] < *low) *low = line[column];
            if (line[column] > *high) *high = line[column];
        }
    }
}

int dg_is_blank(const struct digitocr_picture *picture) {
    int32_t low, high;
    dg_range(picture, &low, &high);
    return high - low < DG_PREPROCESSING_BLANK_BELOW;
}

int dg_unmasked(const struct digitocr_picture *picture, struct dg_arena *arena, struct digitocr_picture *made) {
    int32_t low, high, row, column;
    uint8_t *pixels;
    *made = *picture;
    dg_range(picture, &low, &high);
    if (high == low || high - low > DG_LEVELS_MASK_RANGE) return DIGITOCR_OK;
    for (row = 0; row < picture->height; row++)
        for (column = 0; column < picture->width; column++)
            if (dg_line_of(picture, row)[column] != low && dg_line_of(picture, row)[column] != high) return DIGITOCR_OK;
    pixels = dg_take_picture(arena, picture->width, picture->height, made);
    if (!pixels) return DIGITOCR_ERROR_MEMORY;
    for (row = 0; row < picture->height; row++)
        for (column = 0; column < picture->width; column++)
            *pixels++ = dg_line_of(picture, row)[column] == high ? 255 : 0;
    return DIGITOCR_OK;
}

/* --- Turning (orientation.py, resampling.warped) ------------------------------------------------------------------ */

#define DG_PLACE_ONE (1 << DG_RESAMPLING_PLACE_BITS)
#define DG_FRACTION_ONE (1 << DG_RESAMPLING_FRACTION_BITS)
#define DG_ROUND_DOUBLE 6755399441055744.0 /* 1.5 * 2^52: adding it to a smaller double rounds it, half to even */

void dg_cos_sin(int32_t degrees, double *cosine, double *sine) {
    static const double cosines[] = DG_ORIENTATION_COSINES; /* of 0 to 90 degrees */
    int32_t rest = degrees % 90;
    double c = cosines[rest], s = cosines[90 - rest];
    switch (degrees / 90 % 4) {
    case 0: *cosine = c, *sine = s; break;
    case 1: *cosine = -s, *sine = c; break;
    case 2: *cosine = -c, *sine = -s; break;
    default: *cosine = s, *sine = -c; break;
    }
}

static int64_t dg_place_of(double value) { return (int64_t)(value * DG_PLACE_ONE + DG_ROUND_DOUBLE - DG_ROUND_DOUBLE); }

/* The whole pixel of a place, limited to what is near a picture's side, and 1/32 of what is left. */
static int32_t dg_split(int64_t place, int32_t side, int32_t *fraction) {
    const int64_t far = (int64_t)2 * DG_PLACE_ONE, step = DG_PLACE_ONE / DG_FRACTION_ONE;
    int64_t shifted = place + step / 2 + far; /* two pixels farther, so that it is not below 0 */
    int64_t most = far + (int64_t)(side + 1) * DG_PLACE_ONE;
    if (shifted < 0) shifted = 0;
    if (shifted > most) shifted = most;
    *fraction = (int32_t)(shifted / step % DG_FRACTION_ONE);
    return (int32_t)(shifted / DG_PLACE_ONE) - 2;
}

static int32_t dg_pixel(const struct dg_warp *warp, int32_t x, int32_t y) {
    const struct digitocr_picture *picture = warp->picture;
    if (warp->beyond >= 0 && (x < 0 || y < 0 || x >= warp->width || y >= warp->height)) return warp->beyond;
    x = dg_limited(x, 0, warp->width - 1) << warp->halvings;
    y = dg_limited(y, 0, warp->height - 1) << warp->halvings;
    return dg_halved(dg_line_of(picture, y) + x, picture->stride, warp->halvings);
}

/* The level of a new pixel; down_x and down_y: the part of its place that is the same in its row. */
static uint8_t dg_warped(const struct dg_warp *warp, int32_t u, int64_t down_x, int64_t down_y) {
    int32_t fraction_x, fraction_y, a, b, c, d;
    int32_t x = dg_split(dg_place_of(warp->xu * (double)u) + down_x, warp->width, &fraction_x);
    int32_t y = dg_split(dg_place_of(warp->yu * (double)u) + down_y, warp->height, &fraction_y);
    if (!warp->halvings && x >= 0 && y >= 0 && x < warp->width - 1 && y < warp->height - 1) {
        const uint8_t *at = dg_line_of(warp->picture, y) + x, *under = at + warp->picture->stride;
        a = at[0], b = at[1], c = under[0], d = under[1];
    } else {
        a = dg_pixel(warp, x, y), b = dg_pixel(warp, x + 1, y);
        c = dg_pixel(warp, x, y + 1), d = dg_pixel(warp, x + 1, y + 1);
    }
    a = a * (DG_FRACTION_ONE - fraction_x) + b * fraction_x;
    c = c * (DG_FRACTION_ONE - fraction_x) + d * fraction_x;
    a = a * (DG_FRACTION_ONE - fraction_y) + c * fraction_y;
    return (uint8_t)((a + DG_FRACTION_ONE * DG_FRACTION_ONE / 2) / (DG_FRACTION_ONE * DG_FRACTION_ONE));
}

static int64_t dg_down_x(const struct dg_warp *warp, int32_t v) { return dg_place_of(warp->xv * (double)v + warp->x); }

static int64_t dg_down_y(const struct dg_warp *warp, int32_t v) { return dg_place_of(warp->yv * (double)v + warp->y); }

void dg_turned_size(int32_t width, int32_t height, int32_t degrees, int32_t *turned_width, int32_t *turned_height) {
    double c, s;
    dg_cos_sin(degrees, &c, &s);
    c = c < 0.0 ? -c : c;
    s = s < 0.0 ? -s : s;
    *turned_height = (int32_t)dg_ceil(s * (double)width + c * (double)height - DG_ORIENTATION_ROUNDING);
    *turned_width = (int32_t)dg_ceil(c * (double)width + s * (double)height - DG_ORIENTATION_ROUNDING);
}

int dg_turn(const struct digitocr_picture *picture, int32_t degrees, struct dg_arena *arena,
            struct digitocr_picture *made) {
    int32_t width, height, row, column;
    struct dg_warp warp;
    uint8_t *pixels;
    double c, s, u, v;
    if (!degrees) {
        *made = *picture;
        return DIGITOCR_OK;
    }
    dg_turned_size(picture->width, picture->height, degrees, &width, &height);
    pixels = dg_take_picture(arena, width, height, made);
    if (!pixels) return DIGITOCR_ERROR_MEMORY;
    if (degrees % 90 == 0) { /* steps in the picture from one pixel to the next, in a row and in a column */
        ptrdiff_t across = degrees == 90 ? -picture->stride : degrees == 180 ? -1 : picture->stride;
        ptrdiff_t down = degrees == 90 ? 1 : degrees == 180 ? -picture->stride : -1;
        const uint8_t *first = picture->pixels;
        if (degrees != 270) first = dg_line_of(picture, picture->height - 1);
        if (degrees != 90) first += picture->width - 1;
        for (row = 0; row < height; row++)
            for (column = 0; column < width; column++) *pixels++ = first[row * down + column * across];
        return DIGITOCR_OK;
    }
    dg_cos_sin(degrees, &c, &s);
    u = (double)(width - 1) / 2.0;
    v = (double)(height - 1) / 2.0;
    warp.picture = picture;
    warp.width = picture->width;
    warp.height = picture->height;
    warp.halvings = 0;
    warp.xu = c;
    warp.xv = s;
    warp.x = (double)(picture->width - 1) / 2.0 - (c * u + s * v);
    warp.yu = -s;
    warp.yv = c;
    warp.y = (double)(picture->height - 1) / 2.0 - (c * v - s * u);
    warp.beyond = -1;
    for (row = 0; row < height; row++) {
        int64_t down_x = dg_down_x(&warp, row), down_y = dg_down_y(&warp, row);
        for (column = 0; column < width; column++) *pixels++ = dg_warped(&warp, column, down_x, down_y);
    }
    return DIGITOCR_OK;
}

size_t dg_turn_bytes(int32_t width, int32_t height, int32_t degrees) {
    int32_t turned_width, turned_height;
    if (!degrees) return 0;
    dg_turned_size(width, height, degrees, &turned_width, &turned_height);
    return DG_BYTES((size_t)turned_width * (size_t)turned_height);
}

/* --- The strip of a line (strips.py, recognizer.py) --------------------------------------------------------------- */

/* The median level around a line, of about DG_STRIPS_LEVEL_SAMPLES pixels (strips._level). */
static int32_t dg_level_around(const struct digitocr_picture *picture, const struct dg_place *place) {
    double x, y, left = 0.0, top = 0.0, right = 0.0, bottom = 0.0;
    int32_t counts[256], corner, row, column, step, total = 0, x0, y0, x1, y1;
    for (corner = 0; corner < 4; corner++) {
        dg_to_picture(place, corner & 1 ? (double)place->width : 0.0, corner & 2 ? (double)DG_STRIP_HEIGHT : 0.0, &x, &y);
        if (!corner || x < left) left = x;
        if (!corner || x > right) right = x;
        if (!corner || y < top) top = y;
        if (!corner || y > bottom) bottom = y;
    }
    x0 = left > 0.0 ? left < (double)(picture->width - 1) ? (int32_t)left : picture->width - 1 : 0;
    y0 = top > 0.0 ? top < (double)(picture->height - 1) ? (int32_t)top : picture->height - 1 : 0;
    x1 = right > 1.0 ? right < (double)picture->width ? (int32_t)right : picture->width : 1;
    y1 = bottom > 1.0 ? bottom < (double)picture->height ? (int32_t)bottom : picture->height : 1;
    if (x1 <= x0) x1 = x0 + 1;
    if (y1 <= y0) y1 = y0 + 1;
    step = (int32_t)dg_sqrt((double)(x1 - x0) * (double)(y1 - y0) / (double)DG_STRIPS_LEVEL_SAMPLES);
    if (step < 1) step = 1;
    memset(counts, 0, sizeof counts);
    for (row = y0; row < y1; row += step)
        for (column = x0; column < x1; column += step) {
            counts[dg_line_of(picture, row)[column]]++;
            total++;
        }
    return dg_ranked(counts, total / 2);
}

void dg_begin_cut(struct dg_cut *cut, const struct digitocr_picture *picture, const struct dg_place *place) {
    double scale = place->scale, x, y;
    int32_t halvings = 0;
    dg_to_picture(place, 0.0, 0.0, &x, &y);
    cut->warp.width = picture->width;
    cut->warp.height = picture->height;
    for (; scale > 2.0 * DG_STRIPS_SHRINK && cut->warp.width > 1 && cut->warp.height > 1; halvings++) {
        scale /= 2.0, x /= 2.0, y /= 2.0;
        cut->warp.width /= 2;
        cut->warp.height /= 2;
    }
    cut->factor = scale > DG_STRIPS_SHRINK ? 2 : 1;
    scale /= (double)cut->factor;
    cut->warp.picture = picture;
    cut->warp.halvings = halvings;
    cut->warp.xu = scale * place->cosine;
    cut->warp.xv = -scale * place->sine;
    cut->warp.x = x + (0.5 * scale * place->cosine - 0.5 * scale * place->sine - 0.5);
    cut->warp.yu = scale * place->sine;
    cut->warp.yv = scale * place->cosine;
    cut->warp.y = y + (0.5 * scale * place->sine + 0.5 * scale * place->cosine - 0.5);
    cut->warp.beyond = dg_level_around(picture, place);
}

void dg_cut_column(const struct dg_cut *cut, int32_t column, int32_t step, uint8_t *to) {
    const int32_t factor = cut->factor;
    int32_t row, part, n;
    for (row = 0; row < DG_STRIP_HEIGHT; row += step) {
        int32_t area = factor * factor, sum = area / 2;
        for (part = row * factor; part < (row + 1) * factor; part++) {
            int64_t down_x = dg_down_x(&cut->warp, part), down_y = dg_down_y(&cut->warp, part);
            for (n = column * factor; n < (column + 1) * factor; n++) sum += dg_warped(&cut->warp, n, down_x, down_y);
        }
        to[row] = (uint8_t)(sum / area);
    }
}

/* The recognizer's input, prepared column by column (recognizer.recognizer_input). */
#define DG_STRIP_KEPT (DG_RECOGNIZER_WINDOW + 1)
struct dg_strip {
    struct dg_cut cut;
    uint8_t (*levels)[DG_STRIP_HEIGHT]; /* of the columns that were cut last; column n lies at n % DG_STRIP_KEPT */
    int32_t width, count; /* of all columns, and of those that were cut */
    int32_t sums[DG_STRIP_HEIGHT], squares[DG_STRIP_HEIGHT]; /* of each row, over the columns of the window */
    float low, spread; /* levels that become 0 and 1 in plane 0 */
};

/* The levels of a column; beyond the strip its last ones are repeated. */
static const uint8_t *dg_strip_column(struct dg_strip *strip, int32_t column) {
    column = dg_limited(column, 0, strip->width - 1);
    for (; strip->count <= column; strip->count++)
        dg_cut_column(&strip->cut, strip->count, 1, strip->levels[strip->count % DG_STRIP_KEPT]);
    return strip->levels[column % DG_STRIP_KEPT];
}

/* Adds a column to the sums, or takes it off. */
static void dg_add_column(struct dg_strip *strip, int32_t column, int32_t times) {
    const uint8_t *levels = dg_strip_column(strip, column);
    int32_t row;
    for (row = 0; row < DG_STRIP_HEIGHT; row++) {
        strip->sums[row] += times * levels[row];
        strip->squares[row] += times * (levels[row] * levels[row]);
    }
}

static float dg_unit(float value) { return value < 0.0F ? 0.0F : value > 1.0F ? 1.0F : value; }

static void dg_strip_planes(void *context, int32_t column, uint8_t *to) {
    struct dg_strip *strip = context;
    const int32_t reach = DG_RECOGNIZER_WINDOW / 2;
    const double share = 1.0 / (DG_RECOGNIZER_WINDOW * DG_RECOGNIZER_WINDOW);
    const float spreads = (float)(2.0 * DG_RECOGNIZER_MAX_SPREADS), least = (float)DG_RECOGNIZER_MIN_SPREAD;
    const uint8_t *levels;
    int32_t sum = 0, square = 0, row;
    if (!column) {
        memset(strip->sums, 0, sizeof strip->sums);
        memset(strip->squares, 0, sizeof strip->squares);
        strip->count = 0;
        for (row = -reach; row <= reach; row++) dg_add_column(strip, row, 1);
    }
    levels = dg_strip_column(strip, column);
    for (row = -reach; row <= reach; row++) {
        sum += strip->sums[dg_limited(row, 0, DG_STRIP_HEIGHT - 1)];
        square += strip->squares[dg_limited(row, 0, DG_STRIP_HEIGHT - 1)];
    }
    for (row = 0; row < DG_STRIP_HEIGHT; row++) {
        int32_t enters = dg_limited(row + reach + 1, 0, DG_STRIP_HEIGHT - 1);
        int32_t leaves = dg_limited(row - reach, 0, DG_STRIP_HEIGHT - 1);
        float level = (float)levels[row], mean = (float)((double)sum * share);
        float variance = (float)((double)square * share) - mean * mean;
        float local = (level - mean) / ((dg_sqrtf(variance) + least) * spreads) + 0.5F;
        *to++ = dg_quantised(dg_unit((level - strip->low) / strip->spread), dg_recognizer.scale, dg_recognizer.zero_point);
        *to++ = dg_quantised(dg_unit(local), dg_recognizer.scale, dg_recognizer.zero_point);
        sum += strip->sums[enters] - strip->sums[leaves];
        square += strip->squares[enters] - strip->squares[leaves];
    }
    dg_add_column(strip, column + reach + 1, 1);
    dg_add_column(strip, column - reach, -1);
}

/* The levels that become 0 and 1, by every second pixel of every second column. */
static void dg_begin_strip(struct dg_strip *strip) {
    int32_t counts[256], total = 0, row, column;
    uint8_t levels[DG_STRIP_HEIGHT];
    double low, high, spread;
    memset(counts, 0, sizeof counts);
    for (column = 0; column < strip->width; column += 2) {
        dg_cut_column(&strip->cut, column, 2, levels);
        for (row = 0; row < DG_STRIP_HEIGHT; row += 2, total++) counts[levels[row]]++;
    }
    low = (double)dg_ranked(counts, (int32_t)(DG_RECOGNIZER_LOW * (double)(total - 1)));
    high = (double)dg_ranked(counts, (int32_t)(DG_RECOGNIZER_HIGH * (double)(total - 1)));
    spread = high - low > DG_RECOGNIZER_MIN_CONTRAST ? high - low : DG_RECOGNIZER_MIN_CONTRAST;
    strip->low = (float)((low + high) / 2.0 - spread / 2.0);
    strip->spread = (float)spread;
}

int dg_look(const struct digitocr_picture *picture, const struct dg_place *place, struct dg_arena *arena,
            struct dg_output *logits) {
    struct dg_arena behind = *arena; /* the strip lies at the end */
    struct dg_strip strip;
    struct dg_source source;
    int error;
    if ((size_t)(arena->end - arena->at) < sizeof *strip.levels * DG_STRIP_KEPT) return DIGITOCR_ERROR_MEMORY;
    behind.end -= sizeof *strip.levels * DG_STRIP_KEPT;
    strip.levels = (uint8_t (*)[DG_STRIP_HEIGHT])(void *)behind.end;
    strip.width = place->width;
    dg_begin_cut(&strip.cut, picture, place);
    dg_begin_strip(&strip);
    source.row = dg_strip_planes;
    source.context = &strip;
    error = dg_run(&dg_recognizer, place->width, DG_STRIP_HEIGHT, &source, &behind, logits);
    arena->at = behind.at;
    return error;
}

size_t dg_look_bytes(int32_t strip_width) {
    return DG_STRIP_KEPT * DG_STRIP_HEIGHT + dg_run_bytes(&dg_recognizer, strip_width, DG_STRIP_HEIGHT) + DG_ALIGN;
}

void dg_column_of(const struct dg_output *logits, int32_t column, float *probabilities) {
    int32_t each = logits->channels / DG_CLASS_COUNT, k; /* columns for each pixel of the output */
    ptrdiff_t first = (ptrdiff_t)(column / each) * logits->stride + column % each * DG_CLASS_COUNT;
    float values[DG_CLASS_COUNT];
    for (k = 0; k < DG_CLASS_COUNT; k++) values[k] = dg_value(logits, first + k);
    dg_softmax(values, DG_CLASS_COUNT, probabilities);
}

float dg_value(const struct dg_output *output, ptrdiff_t place) {
    if (output->scale == 0.0F) return ((const float *)output->data)[place];
    return (float)(((const uint8_t *)output->data)[place] - output->zero_point) * output->scale;
}
