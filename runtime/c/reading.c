/* From candidates and the networks' answers to numbers: confidence, lines, strips, characters, numbers.
 *
 * Each part does what the Python file of that name does. Where Python computes in float32, so does this, and sums are
 * taken in NumPy's order, so that the same boxes, digits and numbers come out. */
#include "internal.h"

DG_BEGIN_SMALL

/* Features that are added to the Python files have to be computed here as well: then this array has no size. */
typedef char dg_all_features_are_known
    [DG_CONFIDENCE_FEATURES == 15 && DG_CHARACTER_FEATURES == 27 && DG_NUMBER_FEATURES == 7 ? 1 : -1];

/* --- Sums and sorting --------------------------------------------------------------------------------------------- */

/* The sum of every `stride`-th value, in the order in which NumPy adds: eight sums side by side, and halves of what has
 * more than 128 values. */
DG_LOCAL float dg_float_sum(const float *values, int32_t count, int32_t stride) {
    float sums[8], sum = 0.0F;
    int32_t n, k, half;
    if (count > 128) {
        half = count / 2 / 8 * 8;
        return dg_float_sum(values, half, stride) + dg_float_sum(values + half * stride, count - half, stride);
    }
    n = 0;
    if (count >= 8) {
        for (k = 0; k < 8; k++)
            sums[k] = values[k * stride];
        for (n = 8; n + 8 <= count; n += 8)
            for (k = 0; k < 8; k++)
                sums[k] += values[(n + k) * stride];
        sum = ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
    }
    for (; n < count; n++)
        sum += values[n * stride];
    return sum;
}

/* The same, of doubles side by side. */
static double dg_double_sum(const double *values, int32_t count) {
    double sums[8], sum = 0.0;
    int32_t n, k, half;
    if (count > 128) {
        half = count / 2 / 8 * 8;
        return dg_double_sum(values, half) + dg_double_sum(values + half, count - half);
    }
    n = 0;
    if (count >= 8) {
        for (k = 0; k < 8; k++)
            sums[k] = values[k];
        for (n = 8; n + 8 <= count; n += 8)
            for (k = 0; k < 8; k++)
                sums[k] += values[n + k];
        sum = ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
    }
    for (; n < count; n++)
        sum += values[n];
    return sum;
}

static double dg_lesser(double one, double other) { return other < one ? other : one; }

static double dg_greater(double one, double other) { return other > one ? other : one; }

static float dg_lesser_float(float one, float other) { return other < one ? other : one; }

static float dg_greater_float(float one, float other) { return other > one ? other : one; }

static float dg_distance_float(float one, float other) { return one < other ? other - one : one - other; }

static int32_t dg_clamped(int32_t value, int32_t low, int32_t high) {
    return value < low ? low : value > high ? high : value;
}

/* Whether one of two things comes before the other. */
typedef int dg_before_function(const void *context, int32_t one, int32_t other);

static void dg_sift(int32_t *order, int32_t root, int32_t count, dg_before_function *before, const void *context) {
    int32_t moved = order[root], child;
    while ((child = 2 * root + 1) < count) {
        if (child + 1 < count && before(context, order[child], order[child + 1]))
            child++;
        if (!before(context, moved, order[child]))
            break;
        order[root] = order[child];
        root = child;
    }
    order[root] = moved;
}

/* Puts 0 to count - 1 in order. The order must be total, so that it does not matter that a heap sort is not stable. */
static void dg_sort(int32_t *order, int32_t count, dg_before_function *before, const void *context) {
    int32_t n;
    for (n = 0; n < count; n++)
        order[n] = n;
    for (n = count / 2 - 1; n >= 0; n--)
        dg_sift(order, n, count, before, context);
    for (n = count - 1; n > 0; n--) {
        int32_t last = order[n];
        order[n] = order[0];
        order[0] = last;
        dg_sift(order, 0, n, before, context);
    }
}

static int dg_before_by_key(const void *context, int32_t one, int32_t other) {
    const double *keys = context;
    return keys[one] < keys[other] || (keys[one] == keys[other] && one < other);
}

/* The places of the keys from the least to the largest; of equal ones in their order. */
DG_LOCAL void dg_argsort(const double *keys, int32_t count, int32_t *order) {
    dg_sort(order, count, dg_before_by_key, keys);
}

/* Sorts values in place. `order` has room for as many. */
static void dg_sort_values(double *values, int32_t count) {
    /* Shell's: the lists are short, and equal values are alike */
    static const int32_t gaps[9] = {1750, 701, 301, 132, 57, 23, 10, 4, 1};
    int32_t g, n, k;
    for (g = 0; g < 9; g++)
        for (n = gaps[g]; n < count; n++) {
            double value = values[n];
            for (k = n; k >= gaps[g] && values[k - gaps[g]] > value; k -= gaps[g])
                values[k] = values[k - gaps[g]];
            values[k] = value;
        }
}

/* A double as a float. Where it makes vectors of two values, such as x and y, gcc 12 drops a rounding to float that is
 * not stored. */
static float dg_to_float(double value) {
    volatile float made = (float)value;
    return made;
}

/* The value with the index count / 2 of the sorted ones; the values change places. */
static double dg_upper_median(double *values, int32_t count) {
    dg_sort_values(values, count);
    return values[count / 2];
}

/* Arrays in the arena; NULL where it is too small. */
DG_LOCAL void *dg_take_array(struct dg_arena *arena, int32_t count, size_t size) {
    return dg_take(arena, (size_t)(count > 0 ? count : 1) * size);
}

static float dg_centre_x(const struct digitocr_box *box) { return box->x + box->width / 2.0F; }

static float dg_centre_y(const struct digitocr_box *box) { return box->y + box->height / 2.0F; }

/* --- Confidence (confidence.py) ----------------------------------------------------------------------------------- */

static double dg_log_odds(double share, double most) {
    share = dg_lesser(dg_greater(share, 1.0 - most), most);
    return dg_log(share / (1.0 - share));
}

static double dg_logistic(double value) { return 1.0 / (1.0 + dg_exp(-value)); }

DG_LOCAL void dg_softmax(const float *logits, int32_t count, float *probabilities) {
    double odds[DG_CLASS_COUNT] = {0.0}, whole;
    float highest = logits[0];
    int32_t n;
    for (n = 1; n < count; n++)
        highest = dg_greater_float(highest, logits[n]);
    for (n = 0; n < count; n++)
        odds[n] = dg_exp((double)logits[n] - (double)highest);
    whole = dg_double_sum(odds, count);
    for (n = 0; n < count; n++)
        probabilities[n] = (float)(odds[n] / whole);
}

/* The place of the largest value; of equal ones the first. */
DG_LOCAL int32_t dg_argmax(const float *values, int32_t count) {
    int32_t best = 0, n;
    for (n = 1; n < count; n++)
        if (values[n] > values[best])
            best = n;
    return best;
}

DG_LOCAL int dg_best_neighbours(const struct digitocr_box *boxes, const float *scores, int32_t count,
                                struct dg_arena *arena, float *best) {
    unsigned char *mark = arena->at;
    double *lefts = dg_take_array(arena, count, sizeof *lefts);
    int32_t *order = dg_take_array(arena, count, sizeof *order);
    float highest = 0.0F;
    int32_t n, k;
    if (!lefts || !order)
        return DIGITOCR_ERROR_MEMORY;
    for (n = 0; n < count; n++) {
        best[n] = 0.0F;
        lefts[n] = (double)boxes[n].x;
        highest = dg_greater_float(highest, boxes[n].height);
    }
    dg_argsort(lefts, count, order);
    for (n = 0; n < count; n++) {
        const struct digitocr_box *one = &boxes[order[n]];
        /* what begins further right is too far away; a pixel more, since floats are rounded */
        double reach = lefts[order[n]] + (double)one->width + DG_LINES_MAX_NEIGHBOUR_GAP * (double)highest + 1.0;
        for (k = n + 1; k < count && lefts[order[k]] <= reach; k++) {
            const struct digitocr_box *other = &boxes[order[k]];
            float high = dg_greater_float(one->height, other->height),
                  low = dg_lesser_float(one->height, other->height);
            float shared =
                dg_lesser_float(one->y + one->height, other->y + other->height) - dg_greater_float(one->y, other->y);
            float gap =
                dg_greater_float(one->x, other->x) - dg_lesser_float(one->x + one->width, other->x + other->width);
            if (shared > (float)DG_LINES_MIN_NEIGHBOUR_OVERLAP * low &&
                gap < (float)DG_LINES_MAX_NEIGHBOUR_GAP * high &&
                gap > -(float)DG_LINES_MAX_NEIGHBOUR_INTRUSION * dg_lesser_float(one->width, other->width) &&
                high < (float)DG_LINES_MAX_HEIGHT_RATIO * low) {
                best[order[n]] = dg_greater_float(best[order[n]], scores[order[k]]);
                best[order[k]] = dg_greater_float(best[order[k]], scores[order[n]]);
            }
        }
    }
    arena->at = mark;
    return DIGITOCR_OK;
}

DG_LOCAL int dg_candidate_confidences(const struct digitocr_box *boxes, const float *scores, const float *probabilities,
                                      int32_t classes, int32_t count, struct dg_arena *arena, float *confidences) {
    static const double weights[DG_CONFIDENCE_FEATURES] = DG_CONFIDENCE_WEIGHTS;
    unsigned char *mark = arena->at;
    float *products = dg_take_array(arena, count, sizeof *products);
    float *neighbours = dg_take_array(arena, count, sizeof *neighbours);
    int32_t n, k;
    int error;
    if (!products || !neighbours)
        return DIGITOCR_ERROR_MEMORY;
    for (n = 0; n < count; n++) {
        const float *digits = probabilities + n * classes;
        products[n] = scores[n] * digits[dg_argmax(digits, 10)];
    }
    error = dg_best_neighbours(boxes, products, count, arena, neighbours);
    for (n = 0; n < count && !error; n++) {
        const float *digits = probabilities + n * classes;
        int32_t best = dg_argmax(digits, 10);
        double found = dg_log_odds((double)scores[n], DG_CONFIDENCE_MAX_CERTAINTY);
        double read = dg_log_odds((double)digits[best], DG_CONFIDENCE_MAX_CERTAINTY), sum = 0.0;
        float features[DG_CONFIDENCE_FEATURES] = {0};
        features[DG_CONFIDENCE_DETECTOR] = (float)found;
        features[DG_CONFIDENCE_DIGIT] = (float)read;
        features[DG_CONFIDENCE_DETECTOR_X_DIGIT] = (float)(found * read);
        features[DG_CONFIDENCE_NEIGHBOUR] = neighbours[n];
        features[DG_CONFIDENCE_NEIGHBOUR_OF_A_ZERO] = best == 0 ? neighbours[n] : 0.0F;
        features[DG_CONFIDENCE_DIGIT_0 + best] = 1.0F;
        for (k = 0; k < DG_CONFIDENCE_FEATURES; k++)
            sum += (double)features[k] * weights[k];
        confidences[n] = (float)dg_logistic(sum);
    }
    arena->at = mark;
    return error;
}

DG_LOCAL double dg_lone_confidence(double probability) {
    static const double weights[2] = DG_CONFIDENCE_LONE_WEIGHTS;
    return dg_logistic(weights[0] * dg_log_odds(probability, DG_CONFIDENCE_MAX_LONE_CERTAINTY) + weights[1]);
}

DG_LOCAL float dg_digits_share(const float *probabilities) { return dg_float_sum(probabilities, 10, 1); }

static float dg_signs_share(const float *probabilities) { return dg_float_sum(probabilities + 10, DG_OTHER - 10, 1); }

/* What both networks together say of a digit (recognition.combined): 10 probabilities. */
DG_LOCAL void dg_combined(const float *classifier, const float *lined, float *digits) {
    double products[10], whole;
    float none = 1.0F - dg_digits_share(classifier);
    int32_t n;
    for (n = 0; n < 10; n++) {
        double share = (double)lined[n] + DG_RECOGNITION_FLOOR;
        products[n] = (double)(classifier[n] + (float)DG_RECOGNITION_FLOOR) * share;
    }
    whole = dg_double_sum(products, 10);
    for (n = 0; n < 10; n++)
        digits[n] = (float)(products[n] / whole * (double)(1.0F - none));
}

DG_LOCAL void dg_character_confidences(float candidate, int is_found, const float *classifier, const float *lined,
                                       const float *digits, const float *beside, const float *elsewhere, float height,
                                       float *right, float *place) {
    static const double right_weights[DG_CHARACTER_FEATURES] = DG_CONFIDENCE_RIGHT_WEIGHTS;
    static const double place_weights[DG_CHARACTER_FEATURES] = DG_CONFIDENCE_PLACE_WEIGHTS;
    int32_t best = dg_argmax(digits, 10), n;
    float features[DG_CHARACTER_FEATURES] = {0};
    double most = DG_CONFIDENCE_MAX_CERTAINTY, line_share = dg_log_odds((double)dg_digits_share(lined), most);
    double first = dg_log_odds((double)candidate, most), line = dg_log_odds((double)lined[best], most);
    double right_sum = 0.0, place_sum = 0.0, is_digit, is_right;
    float alone = (float)dg_exp(-(double)(elsewhere[0] + elsewhere[1]));
    features[DG_CHARACTER_CANDIDATE] = (float)first;
    features[DG_CHARACTER_DIGIT] = (float)dg_log_odds((double)classifier[best], most);
    features[DG_CHARACTER_LINE_DIGIT] = (float)line;
    features[DG_CHARACTER_LINE_PLACE] = (float)line_share;
    features[DG_CHARACTER_NO_DIGIT] = (float)dg_log_odds((double)(1.0F - dg_digits_share(classifier)), most);
    features[DG_CHARACTER_FOUND] = is_found ? 1.0F : 0.0F;
    features[DG_CHARACTER_FOUND_X_LINE_PLACE] = is_found ? (float)line_share : 0.0F;
    features[DG_CHARACTER_LEAST] = (float)dg_lesser(dg_lesser(first, line), line_share);
    features[DG_CHARACTER_LINE_OTHER] = (float)dg_log_odds((double)lined[DG_OTHER], most);
    features[DG_CHARACTER_LINE_SIGN] = (float)dg_log_odds((double)dg_signs_share(lined), most);
    features[DG_CHARACTER_OTHER_BESIDE] = beside[0];
    features[DG_CHARACTER_DIGIT_BESIDE] = beside[1];
    features[DG_CHARACTER_AGREEMENT] = dg_argmax(classifier, 10) == dg_argmax(lined, 10) ? 1.0F : 0.0F;
    features[DG_CHARACTER_ALONE] = alone;
    features[DG_CHARACTER_ALONE_X_HEIGHT] = alone * dg_lesser_float(height, 1.0F);
    features[DG_CHARACTER_DIGITS_ELSEWHERE] = (float)dg_log((double)elsewhere[0] + DG_CONFIDENCE_ELSEWHERE);
    features[DG_CHARACTER_OTHERS_ELSEWHERE] = (float)dg_log((double)elsewhere[1] + DG_CONFIDENCE_ELSEWHERE);
    features[DG_CHARACTER_DIGIT_0 + best] = 1.0F;
    for (n = 0; n < DG_CHARACTER_FEATURES; n++) {
        right_sum += (double)features[n] * right_weights[n];
        place_sum += (double)features[n] * place_weights[n];
    }
    is_right = dg_logistic(right_sum);
    is_digit = dg_greater(is_right, dg_logistic(place_sum));
    *right = (float)is_right;
    *place = (float)is_digit;
    /* what a line shows as a digit, but as none of the ten, such as a wheel between two, keeps its place */
    if (dg_digits_share(lined) >= (float)DG_RECOGNITION_SURE_PLACE &&
        lined[dg_argmax(lined, 10)] <= (float)DG_RECOGNITION_UNSURE_DIGIT)
        *place = dg_greater_float(*place, (float)DG_ATTEMPT_READ_CONFIDENCE);
    if (dg_argmax(lined, DG_CLASS_COUNT) == DG_RECOGNIZER_SLASH) /* it is among the signs: no digit in addition */
        *right = *place = 0.0F;
}

/* --- Lines (lines.py) --------------------------------------------------------------------------------------------- */

DG_LOCAL int dg_slope(const struct digitocr_box *boxes, const int32_t *rows, int32_t count, struct dg_arena *arena,
                      double *angle) {
    unsigned char *mark = arena->at;
    double *lefts = dg_take_array(arena, count, sizeof *lefts);
    double *angles = dg_take_array(arena, count, sizeof *angles);
    int32_t *order = dg_take_array(arena, count, sizeof *order);
    int32_t n, k, links = 0;
    if (!lefts || !angles || !order)
        return DIGITOCR_ERROR_MEMORY;
    *angle = 0.0;
    for (n = 0; n < count; n++)
        lefts[n] = (double)dg_centre_x(&boxes[rows[n]]);
    dg_argsort(lefts, count, order);
    for (n = 0; n < count; n++) {
        const struct digitocr_box *one = &boxes[rows[order[n]]];
        float reach = (float)DG_LINES_MAX_LINK * one->height, best_distance = 0.0F, best_dx = 0.0F, best_dy = 0.0F;
        int32_t nearest = -1;
        for (k = n + 1; k < count; k++) { /* those on the right, the nearest in x first */
            const struct digitocr_box *other = &boxes[rows[order[k]]];
            float dx = dg_centre_x(other) - dg_centre_x(one), dy = dg_centre_y(other) - dg_centre_y(one), distance;
            if (dx >= reach)
                break;
            if (!(dx > 0.0F && (dy < 0.0F ? -dy : dy) < (float)DG_LINES_MAX_LINK_SLOPE * dx))
                continue;
            distance = (float)dg_sqrt((double)dx * (double)dx + (double)dy * (double)dy);
            if (distance < reach &&
                (nearest < 0 || distance < best_distance || (distance == best_distance && order[k] < nearest))) {
                nearest = order[k];
                best_distance = distance;
                best_dx = dx;
                best_dy = dy;
            }
        }
        if (nearest >= 0)
            angles[links++] = dg_atan2((double)best_dy, (double)best_dx);
    }
    if (links >= 2) {
        double middle = dg_upper_median(angles, links);
        for (n = 0; n < links; n++)
            angles[n] = angles[n] < middle ? middle - angles[n] : angles[n] - middle;
        if (dg_upper_median(angles, links) < DG_LINES_MAX_SLOPE_SPREAD)
            *angle = middle;
    }
    arena->at = mark;
    return DIGITOCR_OK;
}

/* The centres of boxes across lines of a slope, and along them where that is asked for. */
static void dg_levelled(const struct digitocr_box *boxes, const int32_t *rows, int32_t count, double angle,
                        double *along, double *across) {
    double cosine = dg_cos(angle), sine_of = dg_sin(angle);
    int32_t n;
    for (n = 0; n < count; n++) {
        double x = (double)dg_centre_x(&boxes[rows[n]]), y = (double)dg_centre_y(&boxes[rows[n]]);
        along[n] = x * cosine + y * sine_of;
        across[n] = y * cosine - x * sine_of;
    }
}

/* The share of the lower box's height that two boxes share, with their centres at `one` and `other`. */
static double dg_shared_height(double one, float height, double other, float other_height) {
    double top = dg_greater(one - (double)(height / 2.0F), other - (double)(other_height / 2.0F));
    double bottom = dg_lesser(one + (double)(height / 2.0F), other + (double)(other_height / 2.0F));
    return (bottom - top) / (double)dg_lesser_float(height, other_height);
}

DG_LOCAL int dg_take_lines(struct dg_lines *lines, int32_t capacity, struct dg_arena *arena) {
    lines->count = 0;
    lines->starts = dg_take_array(arena, capacity + 1, sizeof *lines->starts);
    lines->rows = dg_take_array(arena, capacity, sizeof *lines->rows);
    if (!lines->starts || !lines->rows)
        return DIGITOCR_ERROR_MEMORY;
    lines->starts[0] = 0;
    return DIGITOCR_OK;
}

DG_LOCAL int dg_reading_order(const struct digitocr_box *boxes, const int32_t *rows, int32_t count,
                              struct dg_arena *arena, struct dg_lines *lines) {
    unsigned char *mark = arena->at;
    double *along = dg_take_array(arena, count, sizeof *along);
    double *across = dg_take_array(arena, count, sizeof *across);
    double *means = dg_take_array(arena, count, sizeof *means);
    double *members = dg_take_array(arena, count, sizeof *members);
    int32_t *order = dg_take_array(arena, count, sizeof *order);
    int32_t *line_of = dg_take_array(arena, count, sizeof *line_of);
    int32_t *last = dg_take_array(arena, count, sizeof *last);
    double angle;
    int32_t n, k, line_count = 0, at = 0;
    int error;
    if (!along || !across || !means || !members || !order || !line_of || !last)
        return DIGITOCR_ERROR_MEMORY;
    error = dg_slope(boxes, rows, count, arena, &angle);
    if (error)
        return error;
    dg_levelled(boxes, rows, count, angle, along, across);
    dg_argsort(along, count, order);
    for (n = 0; n < count; n++) {
        int32_t row = order[n], best = -1;
        double most = DG_LINES_MIN_LINE_OVERLAP;
        for (k = 0; k < line_count; k++) {
            double share =
                dg_shared_height(across[row], boxes[rows[row]].height, across[last[k]], boxes[rows[last[k]]].height);
            if (share > most) {
                best = k;
                most = share;
            }
        }
        if (best < 0)
            best = line_count++;
        line_of[row] = best;
        last[best] = row;
    }
    for (k = 0; k < line_count; k++) {
        int32_t in_line = 0;
        for (n = 0; n < count; n++)
            if (line_of[order[n]] == k)
                members[in_line++] = across[order[n]];
        means[k] = dg_double_sum(members, in_line) / (double)in_line;
    }
    dg_argsort(means, line_count, last);
    lines->count = line_count;
    for (k = 0; k < line_count; k++) {
        lines->starts[k] = at;
        for (n = 0; n < count; n++)
            if (line_of[order[n]] == last[k])
                lines->rows[at++] = rows[order[n]];
    }
    lines->starts[line_count] = at;
    arena->at = mark;
    return DIGITOCR_OK;
}

DG_LOCAL int dg_join(struct dg_lines *lines, const struct digitocr_box *boxes, int32_t box_count, const int32_t *rows,
                     int32_t count, struct dg_arena *arena) {
    unsigned char *mark = arena->at;
    int32_t in_lines = lines->starts[lines->count], n, k, m;
    int32_t *all = dg_take_array(arena, box_count, sizeof *all);
    double *along = dg_take_array(arena, box_count, sizeof *along);
    double *across = dg_take_array(arena, box_count, sizeof *across);
    double *means = dg_take_array(arena, lines->count + count, sizeof *means);
    double *members = dg_take_array(arena, in_lines, sizeof *members);
    int32_t *order = dg_take_array(arena, lines->count + count, sizeof *order);
    int32_t *starts = dg_take_array(arena, lines->count + count + 1, sizeof *starts);
    int32_t *copied = dg_take_array(arena, in_lines + count, sizeof *copied);
    double angle;
    int error;
    if (!all || !along || !across || !means || !members || !order || !starts || !copied)
        return DIGITOCR_ERROR_MEMORY;
    error = dg_slope(boxes, lines->rows, in_lines, arena, &angle);
    if (error)
        return error;
    for (n = 0; n < box_count; n++)
        all[n] = n;
    dg_levelled(boxes, all, box_count, angle, along, across);
    for (k = 0; k < lines->count; k++) {
        m = 0;
        for (n = lines->starts[k]; n < lines->starts[k + 1]; n++)
            members[m++] = across[lines->rows[n]];
        means[k] = dg_double_sum(members, m) / (double)m;
    }
    for (m = 0; m < count; m++) {
        int32_t row = rows[m], best = -1, position = 0;
        double most = DG_LINES_MIN_LINE_OVERLAP;
        for (k = 0; k < lines->count; k++) {
            const int32_t *line = lines->rows + lines->starts[k];
            int32_t length = lines->starts[k + 1] - lines->starts[k], low = 0, high = length;
            double share = -1.0;
            while (low < high) { /* Python's bisect: the line need not be sorted by the new slope */
                int32_t middle = (low + high) / 2;
                if (along[row] < along[line[middle]])
                    high = middle;
                else
                    low = middle + 1;
            }
            for (n = low > 0 ? low - 1 : 0; n < low + 1 && n < length; n++)
                share = dg_greater(
                    share, dg_shared_height(across[row], boxes[row].height, across[line[n]], boxes[line[n]].height));
            if (share > most) {
                best = k;
                most = share;
                position = low;
            }
        }
        if (best < 0) {
            best = lines->count++;
            means[best] = across[row];
            lines->starts[best + 1] = lines->starts[best];
        }
        position += lines->starts[best];
        for (n = lines->starts[lines->count]; n > position; n--)
            lines->rows[n] = lines->rows[n - 1];
        lines->rows[position] = row;
        for (k = best + 1; k <= lines->count; k++)
            lines->starts[k]++;
    }
    dg_argsort(means, lines->count, order);
    memcpy(copied, lines->rows, (size_t)(in_lines + count) * sizeof *copied);
    memcpy(starts, lines->starts, (size_t)(lines->count + 1) * sizeof *starts);
    m = 0;
    for (k = 0; k < lines->count; k++) {
        lines->starts[k] = m;
        for (n = starts[order[k]]; n < starts[order[k] + 1]; n++)
            lines->rows[m++] = copied[n];
    }
    lines->starts[lines->count] = m;
    arena->at = mark;
    return DIGITOCR_OK;
}

/* --- Where lines stand (strips.py) -------------------------------------------------------------------------------- */

DG_LOCAL void dg_to_picture(const struct dg_place *place, double u, double v, double *x, double *y) {
    double along = u * place->scale, across = (v - DG_STRIP_HEIGHT / 2.0) * place->scale;
    *x = place->x + along * place->cosine - across * place->sine;
    *y = place->y + along * place->sine + across * place->cosine;
}

/* The place in the strip, along the line, of a point of the picture. */
static double dg_along_strip(const struct dg_place *place, double x, double y) {
    return ((x - place->x) * place->cosine + (y - place->y) * place->sine) / place->scale;
}

/* The same, of a box's centre, which Python computes in doubles here. */
static double dg_middle_in_strip(const struct dg_place *place, const struct digitocr_box *box) {
    return dg_along_strip(place, (double)box->x + (double)box->width / 2.0, (double)box->y + (double)box->height / 2.0);
}

/* Whether boxes of that height, with centres from `first` to `last`, have a slope of their own. */
static int dg_is_long(int32_t count, float first, float last, double height) {
    return count >= DG_STRIPS_MIN_SLOPE_BOXES && (double)(last - first) > 2.0 * height;
}

/* The place of a line of boxes, with the slope and the middle of those in `fit`, and a height. common: the slope where
 * these have none. `scratch` has room for two floats for each of these. */
static void dg_place_line(const struct digitocr_box *boxes, const int32_t *rows, int32_t count, const int32_t *fit,
                          int32_t fit_count, double common, double height, float *scratch, struct dg_place *place) {
    float *across = scratch, *along = scratch + fit_count, first = dg_centre_x(&boxes[fit[0]]), last = first;
    float middle_x = 0.0F, middle_y = 0.0F, mean_x, mean_y;
    double angle = common, left = 0.0, right = 0.0;
    int32_t n;
    for (n = 0; n < fit_count; n++) {
        along[n] = dg_centre_x(&boxes[fit[n]]);
        across[n] = dg_centre_y(&boxes[fit[n]]);
        first = dg_lesser_float(first, along[n]);
        last = dg_greater_float(last, along[n]);
        middle_x += along[n];
        middle_y += across[n];
    }
    middle_x = dg_to_float((double)middle_x / (double)fit_count);
    middle_y = dg_to_float((double)middle_y / (double)fit_count);
    if (dg_is_long(fit_count, first, last, height)) {
        float rise, run;
        mean_x = (float)((double)dg_float_sum(along, fit_count, 1) / (double)fit_count);
        mean_y = (float)((double)dg_float_sum(across, fit_count, 1) / (double)fit_count);
        for (n = 0; n < fit_count; n++) {
            along[n] -= mean_x;
            across[n] = along[n] * (across[n] - mean_y);
            along[n] *= along[n];
        }
        rise = dg_float_sum(across, fit_count, 1);
        run = dg_float_sum(along, fit_count, 1);
        angle = dg_atan2((double)rise, (double)run);
    }
    place->cosine = dg_cos(angle);
    place->sine = dg_sin(angle);
    place->scale = height / DG_DIGIT_HEIGHT;
    for (n = 0; n < count; n++) {
        const struct digitocr_box *box = &boxes[rows[n]];
        double at =
            (double)(dg_centre_x(box) - middle_x) * place->cosine + (double)(dg_centre_y(box) - middle_y) * place->sine;
        double half = (double)(box->width / 2.0F);
        left = n ? dg_lesser(left, at - half) : at - half;
        right = n ? dg_greater(right, at + half) : at + half;
    }
    left -= DG_STRIPS_CONTEXT * height;
    right += DG_STRIPS_CONTEXT * height;
    place->x = (double)middle_x + left * place->cosine;
    place->y = (double)middle_y + left * place->sine;
    right = -dg_floor(-(right - left) / place->scale / DG_MULTIPLE) * DG_MULTIPLE;
    place->width = right < DG_STRIPS_MAX_WIDTH ? (int32_t)right : DG_STRIPS_MAX_WIDTH;
}

DG_LOCAL int dg_find_places(const struct digitocr_box *boxes, const int32_t *rows, int32_t count,
                            struct dg_arena *arena, struct dg_places *places) {
    struct dg_lines lines;
    unsigned char *mark;
    int32_t *next, *first_of, *last_of, *size_of, part_count, at = 0, line, n, part;
    double *heights, common;
    float *scratch;
    int error;
    places->count = 0;
    places->places = dg_take_array(arena, count, sizeof *places->places);
    places->rows = dg_take_array(arena, count, sizeof *places->rows);
    if (!places->places || !places->rows)
        return DIGITOCR_ERROR_MEMORY;
    mark = arena->at;
    error = dg_take_lines(&lines, count, arena);
    heights = dg_take_array(arena, count, sizeof *heights);
    scratch = dg_take_array(arena, count, 2 * sizeof *scratch);
    next = dg_take_array(arena, count, sizeof *next);
    first_of = dg_take_array(arena, count, sizeof *first_of);
    last_of = dg_take_array(arena, count, sizeof *last_of);
    size_of = dg_take_array(arena, count, sizeof *size_of);
    if (error || !heights || !scratch || !next || !first_of || !last_of || !size_of)
        return DIGITOCR_ERROR_MEMORY;
    error = dg_slope(boxes, rows, count, arena, &common);
    if (!error)
        error = dg_reading_order(boxes, rows, count, arena, &lines);
    if (error)
        return error;
    for (line = 0; line < lines.count; line++) {
        part_count = 0; /* a taller mark between its digits, such as a slash, does not end a line */
        for (n = lines.starts[line]; n < lines.starts[line + 1]; n++) {
            const struct digitocr_box *box = &boxes[lines.rows[n]];
            double own = (double)box->height;
            next[n] = -1;
            for (part = part_count - 1; part >= 0; part--) {
                const struct digitocr_box *last = &boxes[lines.rows[last_of[part]]];
                int32_t members = 0, one;
                double height;
                for (one = first_of[part]; one >= 0; one = next[one])
                    heights[members++] = (double)boxes[lines.rows[one]].height;
                height = dg_upper_median(heights, members);
                if ((double)box->x - (double)last->x - (double)last->width <
                        DG_STRIPS_MAX_GAP * dg_greater(height, own) &&
                    dg_greater(height, own) < DG_STRIPS_MAX_HEIGHT_RATIO * dg_lesser(height, own))
                    break;
            }
            if (part < 0) {
                part = part_count++;
                first_of[part] = n;
                size_of[part] = 0;
            } else {
                next[last_of[part]] = n;
            }
            last_of[part] = n;
            size_of[part]++;
        }
        for (part = 0; part < part_count; part++) {
            struct dg_place *place = &places->places[places->count++];
            int32_t one, members = 0;
            place->first = at;
            place->count = size_of[part];
            for (one = first_of[part]; one >= 0; one = next[one]) {
                heights[members++] = (double)boxes[lines.rows[one]].height;
                places->rows[at++] = lines.rows[one];
            }
            dg_place_line(boxes, places->rows + place->first, place->count, places->rows + place->first, place->count,
                          common, dg_upper_median(heights, members), scratch, place);
        }
    }
    arena->at = mark;
    return DIGITOCR_OK;
}

/* --- What a line shows (recognizer.py) ---------------------------------------------------------------------------- */

/* The probabilities of the kinds of a column: digit, sign, other, gap. */
static void dg_kinds_of(const float *probabilities, float *kinds) {
    kinds[DG_KIND_DIGIT] = dg_digits_share(probabilities);
    kinds[DG_KIND_SIGN] = dg_signs_share(probabilities);
    kinds[DG_KIND_OTHER] = probabilities[DG_OTHER];
    kinds[DG_KIND_GAP] = probabilities[DG_GAP];
}

DG_LOCAL int32_t dg_kind(const float *probabilities) {
    float kinds[4];
    dg_kinds_of(probabilities, kinds);
    return dg_argmax(kinds, 4);
}

/* The means of columns from `first` up to `last`. */
static void dg_mean_of_columns(const float *columns, int32_t first, int32_t last, float *means) {
    int32_t n, k;
    for (k = 0; k < DG_CLASS_COUNT; k++) {
        float sum = columns[first * DG_CLASS_COUNT + k];
        for (n = first + 1; n < last; n++)
            sum += columns[n * DG_CLASS_COUNT + k];
        means[k] = (float)((double)sum / (double)(last - first));
    }
}

/* A slash by hand may be seen as a 1 in some of its columns. */
static int dg_is_slanted(int32_t best) { return best == 1 || best == DG_RECOGNIZER_SLASH; }

DG_LOCAL int32_t dg_find_segments(const float *columns, int32_t count, struct dg_segment *segments) {
    int32_t start = 0, sure = -1, column, found = 0, kind, start_kind, best, sure_best = 0;
    if (count < 1)
        return 0;
    kind = start_kind = dg_kind(columns);
    best = dg_argmax(columns, DG_CLASS_COUNT);
    for (column = 1; column <= count; column++) {
        const float *before = columns + (column - 1) * DG_CLASS_COUNT, *here = before + DG_CLASS_COUNT;
        int32_t next_kind = kind, next_best = best;
        int ends = column == count;
        if (before[best] >= (float)DG_RECOGNIZER_SURE) {
            sure = column - 1;
            sure_best = best;
        }
        if (!ends) {
            next_kind = dg_kind(here);
            next_best = dg_argmax(here, DG_CLASS_COUNT);
            ends = next_kind != kind && !(dg_is_slanted(best) && dg_is_slanted(next_best));
            if (!ends && next_kind <= DG_KIND_SIGN && sure >= start && here[next_best] >= (float)DG_RECOGNIZER_SURE)
                ends = next_best != sure_best && !(dg_is_slanted(next_best) && dg_is_slanted(sure_best));
        }
        if (ends) {
            if (start_kind != DG_KIND_GAP) {
                if (segments) {
                    float kinds[4], means[DG_CLASS_COUNT];
                    struct dg_segment *made = &segments[found];
                    made->left = (int16_t)start;
                    made->right = (int16_t)column;
                    dg_mean_of_columns(columns, start, column, means);
                    dg_kinds_of(means, kinds);
                    made->kind = dg_argmax(kinds, 3);
                    made->share = kinds[made->kind];
                }
                found++;
            }
            start = column;
            start_kind = next_kind;
        }
        kind = next_kind;
        best = next_best;
    }
    return found;
}

/* --- The characters of lines (recognition.py) --------------------------------------------------------------------- */

DG_LOCAL int dg_take_recognition(struct dg_recognition *found, int32_t capacity, int32_t other_capacity,
                                 struct dg_arena *arena) {
    memset(found, 0, sizeof *found);
    found->capacity = capacity;
    found->other_capacity = other_capacity;
    found->boxes = dg_take_array(arena, capacity, sizeof *found->boxes);
    found->others = dg_take_array(arena, other_capacity, sizeof *found->others);
    found->lined = dg_take_array(arena, capacity, DG_CLASS_COUNT * sizeof *found->lined);
    found->beside = dg_take_array(arena, capacity, 2 * sizeof *found->beside);
    found->is_seen = dg_take_array(arena, capacity, sizeof *found->is_seen);
    if (!found->boxes || !found->lined || !found->beside || !found->is_seen || !found->others)
        return DIGITOCR_ERROR_MEMORY;
    return DIGITOCR_OK;
}

DG_LOCAL void dg_begin_recognition(struct dg_recognition *found, const struct digitocr_box *boxes, int32_t count) {
    int32_t n, k;
    found->found = found->count = count;
    found->other_count = 0;
    found->digits_shown = found->others_shown = 0.0;
    for (n = 0; n < count; n++) {
        found->boxes[n] = boxes[n];
        for (k = 0; k < DG_CLASS_COUNT; k++)
            found->lined[n * DG_CLASS_COUNT + k] = k == DG_GAP ? 1.0F : 0.0F;
        found->beside[2 * n] = found->beside[2 * n + 1] = 0.0F;
        found->is_seen[n] = 0;
    }
}

DG_LOCAL int dg_is_read_already(const struct dg_recognition *found, const struct dg_place *place, const int32_t *rows) {
    int32_t n;
    for (n = 0; n < place->count; n++)
        if (!found->is_seen[rows[n]])
            return 0;
    return place->count > 0;
}

/* The candidates on a line, from left to right; `keys` has room for as many as there are candidates. */
static int32_t dg_find_on_line(const struct dg_recognition *found, const struct dg_place *place, const int32_t *own,
                               int32_t *rows, double *keys, int32_t *order) {
    float x = (float)place->x, y = (float)place->y, cosine = (float)place->cosine, sine_of = (float)place->sine;
    float scale = (float)place->scale;
    int32_t count = 0, n, k;
    for (n = 0; n < found->found; n++) {
        float dx = dg_centre_x(&found->boxes[n]) - x, dy = dg_centre_y(&found->boxes[n]) - y;
        float along = (dx * cosine + dy * sine_of) / scale, across = (dy * cosine - dx * sine_of) / scale;
        float height = found->boxes[n].height / scale, off = across < 0.0F ? -across : across;
        int is_on = off + height / 2.0F < (float)(DG_RECOGNITION_BAND * DG_DIGIT_HEIGHT) &&
                    height > (float)(DG_RECOGNITION_MIN_HEIGHT * DG_DIGIT_HEIGHT);
        is_on = is_on || (off < (float)(DG_RECOGNITION_MAX_OFF * DG_DIGIT_HEIGHT) && height > (float)DG_DIGIT_HEIGHT &&
                          height < (float)(DG_RECOGNITION_MAX_HEIGHT * DG_DIGIT_HEIGHT));
        is_on = is_on && along > 0.0F && along < (float)place->width;
        for (k = 0; k < place->count && !is_on; k++)
            is_on = own[k] == n;
        if (is_on) {
            keys[count] = (double)along;
            order[count++] = n;
        }
    }
    dg_argsort(keys, count, rows);
    for (n = 0; n < count; n++)
        rows[n] = order[rows[n]];
    return count;
}

/* A candidate and a digit of its line that it may hold. */
struct dg_pair {
    double off;
    int16_t row, digit; /* row: of the candidates */
    int16_t place;      /* of that candidate on the line */
};

static int dg_before_by_distance(const void *context, int32_t one, int32_t other) {
    const struct dg_pair *a = (const struct dg_pair *)context + one, *b = (const struct dg_pair *)context + other;
    if (a->off != b->off)
        return a->off < b->off;
    return a->row != b->row ? a->row < b->row : a->digit < b->digit;
}

static double dg_middle_of(const struct dg_segment *part) {
    return (double)(part->left + part->right) / 2.0 * DG_COLUMN;
}

/* The pairs of candidates on a line and digits near their middles; only counts where `pairs` is NULL. */
static int32_t dg_find_pairs(const struct dg_recognition *found, const struct dg_place *place, const int32_t *rows,
                             int32_t row_count, const struct dg_segment *const *digits, int32_t digit_count,
                             struct dg_pair *pairs) {
    int32_t n, k, count = 0;
    for (n = 0; n < row_count; n++) {
        const struct digitocr_box *box = &found->boxes[rows[n]];
        double u = dg_middle_in_strip(place, box), width = (double)box->width;
        double wide = dg_greater(width / place->scale, DG_RECOGNITION_USUAL_WIDTH * DG_DIGIT_HEIGHT);
        double held = DG_RECOGNITION_HELD * width / place->scale;
        int32_t inside = 0;
        for (k = 0; k < digit_count; k++) {
            double off = dg_middle_of(digits[k]) - u;
            inside += (off < 0.0 ? -off : off) < held;
        }
        if (inside > 1)
            continue; /* a box around two digits; each gets a box of its own */
        for (k = 0; k < digit_count; k++) {
            double off = dg_middle_of(digits[k]) - u;
            off = off < 0.0 ? -off : off;
            if (off < DG_RECOGNITION_MAX_OFFSET * wide) {
                if (pairs) {
                    pairs[count].off = off / wide;
                    pairs[count].row = (int16_t)rows[n];
                    pairs[count].digit = (int16_t)k;
                    pairs[count].place = (int16_t)n;
                }
                count++;
            }
        }
    }
    return count;
}

/* The shares of other writing and of digits right beside a box. */
static void dg_find_beside(const float *columns, int32_t count, const struct digitocr_box *box,
                           const struct dg_place *place, float *beside) {
    double u = dg_middle_in_strip(place, box), half = (double)box->width / place->scale / 2.0 / DG_COLUMN;
    int32_t reach = (int32_t)dg_round(DG_RECOGNITION_REACH * DG_DIGIT_HEIGHT / DG_COLUMN);
    int32_t left = (int32_t)dg_round(u / DG_COLUMN - half), right = (int32_t)dg_round(u / DG_COLUMN + half), side, n;
    beside[0] = beside[1] = 0.0F;
    for (side = 0; side < 2; side++) {
        int32_t first = dg_clamped(side ? right : left - reach, 0, count),
                last = dg_clamped(side ? right + reach : left, 0, count);
        float other, digit = 0.0F;
        if (first >= last)
            continue;
        other =
            (float)((double)dg_float_sum(columns + first * DG_CLASS_COUNT + DG_OTHER, last - first, DG_CLASS_COUNT) /
                    (double)(last - first));
        for (n = first; n < last; n++)
            digit = dg_greater_float(digit, dg_digits_share(columns + n * DG_CLASS_COUNT));
        beside[0] = dg_greater_float(beside[0], other);
        beside[1] = dg_greater_float(beside[1], digit);
    }
}

/* What stands in the middle of a candidate that holds no digit of its own; other candidates' digits count as a gap. */
static void dg_find_between(const float *columns, int32_t count, const struct digitocr_box *box,
                            const struct dg_place *place, const struct dg_segment *const *digits, int32_t digit_count,
                            float *seen) {
    double u = dg_middle_in_strip(place, box), half = dg_greater((double)box->width / place->scale / 4.0, DG_COLUMN);
    double from = (u - half) / DG_COLUMN, to = dg_ceil((u + half) / DG_COLUMN);
    int32_t first = from > 0.0 ? (int32_t)dg_lesser(from, (double)(count - 1)) : 0, last, n;
    last = dg_clamped(to > (double)count ? count : (int32_t)dg_greater(to, 0.0), first + 1, count);
    dg_mean_of_columns(columns, first, last, seen);
    for (n = 0; n < digit_count; n++)
        if (digits[n]->left < last && digits[n]->right > first) {
            seen[DG_GAP] += dg_digits_share(seen);
            memset(seen, 0, 10 * sizeof *seen);
            break;
        }
}

/* An upright box around a place of the line's middle. */
static void dg_upright(const struct dg_place *place, double u, double half, double *box) {
    double x, y, wide = 2.0 * half * place->scale, high = 2.0 * (DG_DIGIT_HEIGHT / 2.0) * place->scale;
    dg_to_picture(place, u, DG_STRIP_HEIGHT / 2.0, &x, &y);
    box[0] = x - wide / 2.0;
    box[1] = y - high / 2.0;
    box[2] = wide;
    box[3] = high;
}

/* The box of a digit that only the recognizer has found: as wide as its neighbours leave room for. */
static void dg_box_of_digit(const struct dg_segment *const *digits, int32_t count, int32_t number,
                            const struct dg_place *place, struct digitocr_box *box) {
    double u = dg_middle_of(digits[number]), half = DG_RECOGNITION_USUAL_WIDTH * DG_DIGIT_HEIGHT / 2.0, sides[4];
    if (number > 0)
        half = dg_lesser(half, (u - dg_middle_of(digits[number - 1])) / 2.0);
    if (number + 1 < count)
        half = dg_lesser(half, (dg_middle_of(digits[number + 1]) - u) / 2.0);
    dg_upright(place, u, dg_greater(half, DG_COLUMN), sides);
    box->x = (float)sides[0];
    box->y = (float)sides[1];
    box->width = (float)sides[2];
    box->height = (float)sides[3];
}

/* A sign or a word as a character. */
static void dg_other_character(const float *columns, const struct dg_segment *part, const struct dg_place *place,
                               struct dg_character *made) {
    double half = dg_greater((double)(part->right - part->left) / 2.0 * DG_COLUMN, DG_COLUMN), sides[4];
    float means[DG_CLASS_COUNT];
    dg_mean_of_columns(columns, part->left, part->right, means);
    made->text = part->kind == DG_KIND_SIGN ? DG_CLASSES[10 + dg_argmax(means + 10, DG_OTHER - 10)] : DG_OTHER_TEXT;
    dg_upright(place, dg_middle_of(part), half, sides);
    made->x = sides[0];
    made->y = sides[1];
    made->width = sides[2];
    made->height = sides[3];
    made->confidence = (double)(1.0F - means[DG_GAP]);
    made->row = -1;
}

DG_LOCAL struct dg_place dg_closer(const struct dg_place *place, int32_t longest) {
    struct dg_place closer = *place;
    int32_t width = (int32_t)dg_ceil(place->width * DG_STRIPS_CLOSER / DG_MULTIPLE) * DG_MULTIPLE;
    closer.scale = place->scale / DG_STRIPS_CLOSER;
    closer.width = width < longest ? width : longest;
    return closer;
}

/* Whether a segment leaves open which digit it is, or whether it is one. */
static int dg_leaves_doubt(const float *columns, const struct dg_segment *part) {
    float means[DG_CLASS_COUNT];
    dg_mean_of_columns(columns, part->left, part->right, means);
    return part->kind == DG_KIND_DIGIT ? means[dg_argmax(means, 10)] < (float)DG_RECOGNITION_CLEAR_DIGIT
                                       : dg_digits_share(means) > (float)DG_RECOGNITION_POSSIBLE_DIGIT;
}

DG_LOCAL int dg_is_doubtful(const float *columns, int32_t count, struct dg_arena *arena, int *is_doubtful) {
    unsigned char *mark = arena->at;
    int32_t part_count = dg_find_segments(columns, count, NULL), n;
    struct dg_segment *parts = dg_take_array(arena, part_count, sizeof *parts);
    if (!parts)
        return DIGITOCR_ERROR_MEMORY;
    dg_find_segments(columns, count, parts);
    *is_doubtful = 0;
    for (n = 0; n < part_count && !*is_doubtful; n++)
        *is_doubtful = dg_leaves_doubt(columns, &parts[n]);
    arena->at = mark;
    return DIGITOCR_OK;
}

/* The boxes of a line in whose middle it shows a clear digit. */
static int32_t dg_find_clear(const struct digitocr_box *boxes, const struct dg_place *place, const int32_t *rows,
                             const float *columns, const struct dg_segment *parts, int32_t part_count, int32_t *clear) {
    int32_t count = 0, n, k;
    for (n = 0; n < place->count; n++) {
        double column = dg_middle_in_strip(place, &boxes[rows[n]]) / DG_COLUMN;
        for (k = 0; k < part_count; k++)
            if (parts[k].left <= column && column < parts[k].right && parts[k].kind == DG_KIND_DIGIT &&
                !dg_leaves_doubt(columns, &parts[k]))
                break;
        if (k < part_count)
            clear[count++] = rows[n];
    }
    return count;
}

/* How far a point of one strip's middle line lies from that of another one, in pixels of that one. */
static double dg_shift(const struct dg_place *one, double u, const struct dg_place *other) {
    double x, y, shift;
    dg_to_picture(one, u, DG_STRIP_HEIGHT / 2.0, &x, &y);
    shift = ((y - other->y) * other->cosine - (x - other->x) * other->sine) / other->scale + DG_STRIP_HEIGHT / 2.0;
    shift -= DG_STRIP_HEIGHT / 2.0;
    return shift < 0.0 ? -shift : shift;
}

DG_LOCAL int dg_fit_place(const struct digitocr_box *boxes, const int32_t *seeds, int32_t seed_count,
                          const struct dg_place *place, const int32_t *rows, const float *columns, int32_t count,
                          struct dg_arena *arena, struct dg_place *fitted, int *is_off) {
    unsigned char *mark = arena->at;
    int32_t part_count = dg_find_segments(columns, count, NULL), fit_count, rest_count = 0, n, k;
    struct dg_segment *parts = dg_take_array(arena, part_count, sizeof *parts);
    int32_t *fit = dg_take_array(arena, place->count, sizeof *fit);
    int32_t *rest = dg_take_array(arena, seed_count, sizeof *rest);
    double *heights = dg_take_array(arena, place->count, sizeof *heights);
    float *scratch = dg_take_array(arena, place->count, 2 * sizeof *scratch);
    double common = 0.0, ratio;
    int error;
    if (!parts || !fit || !rest || !heights || !scratch)
        return DIGITOCR_ERROR_MEMORY;
    *is_off = 0;
    dg_find_segments(columns, count, parts);
    fit_count = dg_find_clear(boxes, place, rows, columns, parts, part_count, fit);
    if (fit_count > 0 && fit_count < place->count) {
        float first = dg_centre_x(&boxes[fit[0]]), last = first;
        double height;
        for (n = 0; n < fit_count; n++) {
            heights[n] = (double)boxes[fit[n]].height;
            first = dg_lesser_float(first, dg_centre_x(&boxes[fit[n]]));
            last = dg_greater_float(last, dg_centre_x(&boxes[fit[n]]));
        }
        height = dg_upper_median(heights, fit_count);
        if (!dg_is_long(fit_count, first, last, height)) { /* that of all, without the line's other boxes */
            for (n = 0; n < seed_count; n++) {
                int is_other = 0;
                for (k = 0; k < place->count && !is_other; k++)
                    is_other = rows[k] == seeds[n];
                for (k = 0; k < fit_count && is_other; k++)
                    is_other = fit[k] != seeds[n];
                if (!is_other)
                    rest[rest_count++] = seeds[n];
            }
            error = dg_slope(boxes, rest, rest_count, arena, &common);
            if (error)
                return error;
        }
        *fitted = *place;
        dg_place_line(boxes, rows, place->count, fit, fit_count, common, height, scratch, fitted);
        ratio = place->scale / fitted->scale;
        *is_off = dg_greater(ratio, 1.0 / ratio) > DG_STRIPS_MAX_RATIO ||
                  dg_greater(dg_shift(place, 0.0, fitted), dg_shift(place, place->width, fitted)) >
                      DG_STRIPS_MAX_SHIFT * DG_DIGIT_HEIGHT;
    }
    arena->at = mark;
    return DIGITOCR_OK;
}

DG_LOCAL int32_t dg_closer_column(int32_t column, int32_t closer_count) {
    int32_t same = (int32_t)((column + 0.5) * DG_STRIPS_CLOSER);
    return same < closer_count ? same : closer_count - 1;
}

DG_LOCAL void dg_take_means(float *probabilities, const float *closer) {
    int32_t k;
    for (k = 0; k < DG_CLASS_COUNT; k++)
        probabilities[k] = (probabilities[k] + closer[k]) / 2.0F;
}

DG_LOCAL int dg_read_strip(struct dg_recognition *found, const struct dg_place *place, const int32_t *own,
                           const float *columns, int32_t count, struct dg_arena *arena) {
    unsigned char *mark = arena->at;
    int32_t part_count = dg_find_segments(columns, count, NULL), digit_count = 0, row_count, pair_count, n, k;
    struct dg_segment *parts = dg_take_array(arena, part_count, sizeof *parts);
    const struct dg_segment **digits = dg_take_array(arena, part_count, sizeof *digits);
    int32_t *holder = dg_take_array(arena, part_count, sizeof *holder); /* of each digit; -1 for none */
    int32_t *rows = dg_take_array(arena, found->found, sizeof *rows);
    int32_t *held = dg_take_array(arena, found->found, sizeof *held); /* the digit of each row; -1 for none */
    double *keys = dg_take_array(arena, found->found, sizeof *keys);
    struct dg_pair *pairs;
    int32_t *order;
    if (!parts || !digits || !holder || !rows || !held || !keys)
        return DIGITOCR_ERROR_MEMORY;
    dg_find_segments(columns, count, parts);
    for (n = 0; n < part_count; n++)
        if (parts[n].kind == DG_KIND_DIGIT) {
            digits[digit_count++] = &parts[n];
            found->digits_shown += (double)parts[n].share;
        } else if (parts[n].kind == DG_KIND_OTHER) { /* as many characters as digits would fit in its place */
            double usual = DG_RECOGNITION_USUAL_WIDTH * DG_DIGIT_HEIGHT;
            double many = (double)((parts[n].right - parts[n].left) * DG_COLUMN) / usual;
            found->others_shown += (double)parts[n].share * dg_greater(many, 1.0);
        }
    row_count = dg_find_on_line(found, place, own, rows, keys, held);
    pair_count = dg_find_pairs(found, place, rows, row_count, digits, digit_count, NULL);
    pairs = dg_take_array(arena, pair_count, sizeof *pairs);
    order = dg_take_array(arena, pair_count, sizeof *order);
    if (!pairs || !order)
        return DIGITOCR_ERROR_MEMORY;
    dg_find_pairs(found, place, rows, row_count, digits, digit_count, pairs);
    dg_sort(order, pair_count, dg_before_by_distance, pairs);
    for (n = 0; n < row_count; n++)
        held[n] = -1;
    for (n = 0; n < digit_count; n++)
        holder[n] = -1;
    for (n = 0; n < pair_count; n++) { /* the nearest pairs come first */
        const struct dg_pair *one = &pairs[order[n]];
        if (held[one->place] < 0 && holder[one->digit] < 0) {
            held[one->place] = one->digit;
            holder[one->digit] = one->row;
        }
    }
    for (n = 0; n < row_count; n++) {
        int32_t row = rows[n];
        float *seen = found->lined + row * DG_CLASS_COUNT;
        if (found->is_seen[row])
            continue;
        if (held[n] >= 0)
            dg_mean_of_columns(columns, digits[held[n]]->left, digits[held[n]]->right, seen);
        else
            dg_find_between(columns, count, &found->boxes[row], place, digits, digit_count, seen);
        dg_find_beside(columns, count, &found->boxes[row], place, found->beside + 2 * row);
        found->is_seen[row] = 1;
    }
    for (n = 0; n < digit_count; n++)
        if (holder[n] < 0 && found->count < found->capacity) {
            k = found->count++;
            dg_box_of_digit(digits, digit_count, n, place, &found->boxes[k]);
            dg_mean_of_columns(columns, digits[n]->left, digits[n]->right, found->lined + k * DG_CLASS_COUNT);
            dg_find_beside(columns, count, &found->boxes[k], place, found->beside + 2 * k);
        }
    for (n = 0; n < part_count && found->other_count < found->other_capacity; n++)
        if (parts[n].kind != DG_KIND_DIGIT && parts[n].share >= (float)DG_RECOGNITION_SURE_OTHER)
            dg_other_character(columns, &parts[n], place, &found->others[found->other_count++]);
    arena->at = mark;
    return DIGITOCR_OK;
}

DG_LOCAL void dg_elsewhere(const struct dg_recognition *found, int32_t row, float *elsewhere) {
    const float *lined = found->lined + row * DG_CLASS_COUNT;
    elsewhere[0] = dg_greater_float((float)found->digits_shown - dg_digits_share(lined), 0.0F);
    elsewhere[1] = dg_greater_float((float)found->others_shown - lined[DG_OTHER], 0.0F);
}

/* The area that two boxes share over that of the smaller one (boxes.share_of_smaller). */
static float dg_share_of_smaller(const struct digitocr_box *one, const struct digitocr_box *other) {
    float wide = dg_lesser_float(one->x + one->width, other->x + other->width) - dg_greater_float(one->x, other->x);
    float high = dg_lesser_float(one->y + one->height, other->y + other->height) - dg_greater_float(one->y, other->y);
    float smaller = dg_lesser_float(one->width * one->height, other->width * other->height);
    return dg_greater_float(wide, 0.0F) * dg_greater_float(high, 0.0F) / dg_greater_float(smaller, 1e-6F);
}

DG_LOCAL int dg_keep_distinct(struct dg_recognition *found, struct dg_arena *arena) {
    unsigned char *mark = arena->at;
    int32_t first = found->found, count = found->count - first, n, k, kept = first;
    double *keys = dg_take_array(arena, count, sizeof *keys);
    int32_t *order = dg_take_array(arena, count, sizeof *order);
    unsigned char *is_kept = dg_take_array(arena, count, sizeof *is_kept);
    if (!keys || !order || !is_kept)
        return DIGITOCR_ERROR_MEMORY;
    for (n = 0; n < count; n++) {
        keys[n] = -(double)dg_digits_share(found->lined + (first + n) * DG_CLASS_COUNT);
        is_kept[n] = 0;
    }
    dg_argsort(keys, count, order);
    for (n = 0; n < count; n++) {
        int is_new = 1;
        for (k = 0; k < n && is_new; k++)
            if (is_kept[order[k]])
                is_new = !(dg_share_of_smaller(&found->boxes[first + order[n]], &found->boxes[first + order[k]]) >
                           (float)DG_RECOGNITION_SAME_SHARE);
        is_kept[order[n]] = (unsigned char)is_new;
    }
    for (n = 0; n < count; n++)
        if (is_kept[n]) {
            k = first + n;
            found->boxes[kept] = found->boxes[k];
            memmove(found->lined + kept * DG_CLASS_COUNT, found->lined + k * DG_CLASS_COUNT,
                    DG_CLASS_COUNT * sizeof *found->lined);
            memmove(found->beside + 2 * kept, found->beside + 2 * k, 2 * sizeof *found->beside);
            kept++;
        }
    found->count = kept;
    arena->at = mark;
    return DIGITOCR_OK;
}

/* --- Numbers (numbers.py) ----------------------------------------------------------------------------------------- */

/* A line's characters and how far apart its digits stand. Lengths but `height` are in heights of its digits. */
struct dg_number_line {
    const struct dg_character *characters;
    const int32_t *shown; /* the characters that count */
    int32_t shown_count;
    double height;    /* pixels */
    double room;      /* that a digit takes */
    double shares[2]; /* of the width by which a digit's ink is narrower than its room, added to its left and right */
    double typical;   /* the gap inside numbers */
    double pitch;     /* the distance of two neighbours in a number */
    double max_gap;   /* the widest gap inside numbers */
};

static int dg_is_place(const struct dg_character *one) {
    return one->text == DG_DOUBT || (one->text >= '0' && one->text <= '9');
}

static const struct dg_character *dg_shown_at(const struct dg_number_line *line, int32_t index) {
    return &line->characters[line->shown[index]];
}

/* What is added to a digit's ink on its left (0) or right (1); less than 0 for ink that is wider than the room. Where the
 * sides differ, as on displays of seven segments, this is for a 1 alone: the others fill their room. */
static double dg_spare(const struct dg_number_line *line, int32_t index, int32_t side) {
    const struct dg_character *one = dg_shown_at(line, index);
    double width = one->width / line->height;
    if (!dg_is_place(one) || (line->shares[0] > line->shares[1] && width >= DG_NUMBERS_NARROW))
        return 0.0;
    return line->shares[side] * (line->room - width);
}

/* From one character to another on its right. */
static double dg_gap_between(const struct dg_number_line *line, int32_t left, int32_t right) {
    const struct dg_character *one = dg_shown_at(line, left), *other = dg_shown_at(line, right);
    return (other->x - one->x - one->width) / line->height - dg_spare(line, left, 1) - dg_spare(line, right, 0);
}

/* From the centre of one character to that of another on its right. */
static double dg_distance_between(const struct dg_number_line *line, int32_t left, int32_t right) {
    const struct dg_character *one = dg_shown_at(line, left), *other = dg_shown_at(line, right);
    return (other->x + other->width / 2.0 - one->x - one->width / 2.0) / line->height;
}

/* Whether two neighbours, one of which is no digit, are as close as a digit and a sign of one number. */
static int dg_is_close(const struct dg_number_line *line, int32_t left, int32_t right) {
    int is_slash = dg_shown_at(line, left)->text == '/' || dg_shown_at(line, right)->text == '/';
    return dg_gap_between(line, left, right) <= line->typical + (is_slash ? DG_NUMBERS_SLASH_GAP : DG_NUMBERS_SIGN_GAP);
}

/* Whether the character between two digits is close to both, or has the room of a digit between them. */
static int dg_is_close_between(const struct dg_number_line *line, int32_t left, int32_t right) {
    double off;
    if (dg_is_close(line, left, left + 1) && dg_is_close(line, right - 1, right))
        return 1;
    off = dg_gap_between(line, left, left + 1) - dg_gap_between(line, right - 1, right);
    return (off < 0.0 ? -off : off) <= DG_NUMBERS_OFF_MIDDLE &&
           dg_distance_between(line, left, right) <= DG_NUMBERS_SIGN_PITCH * line->pitch;
}

/* Whether two digits, with no digit between them, belong together; hyphens and cells are left to others. */
static int dg_is_joined(const struct dg_number_line *line, int32_t left, int32_t right) {
    char sign;
    if (right == left + 1)
        return dg_gap_between(line, left, right) <= line->max_gap;
    sign = dg_shown_at(line, left + 1)->text;
    return right == left + 2 && (sign == '.' || sign == ',' || sign == ':' || sign == '/') &&
           dg_is_close_between(line, left, right);
}

/* Whether that sign alone stands between two digits. */
static int dg_has_between(const struct dg_number_line *line, char sign, int32_t left, int32_t right) {
    return right == left + 2 && dg_shown_at(line, left + 1)->text == sign;
}

/* Whether that sign alone stands between two digits, as close as in a date. */
static int dg_is_date_sign(const struct dg_number_line *line, char sign, int32_t left, int32_t right) {
    if (!dg_has_between(line, sign, left, right))
        return 0;
    if (sign == '/')
        return dg_greater(dg_gap_between(line, left, left + 1), dg_gap_between(line, left + 1, right)) <=
               line->typical + DG_NUMBERS_DATE_SLASH_GAP;
    return dg_is_close_between(line, left, right);
}

/* Whether what separates two digits may be the rule between their cells. */
static int dg_is_ruled(const struct dg_number_line *line, int32_t left, int32_t right) {
    return right == left + 2 && dg_shown_at(line, left + 1)->text == DG_OTHER_TEXT &&
           dg_shown_at(line, left + 1)->width <= DG_NUMBERS_RULE_WIDTH * line->height &&
           dg_distance_between(line, left, right) <= DG_NUMBERS_MAX_CELL;
}

/* How many of the sorted gaps are inside numbers: those before the first clear jump; all where there is none. */
static int32_t dg_count_inside(const double *gaps, int32_t gap_count, double room, double spread) {
    double total = 0.0, squares = 0.0;
    int32_t count;
    for (count = 1; count < gap_count; count++) {
        double gap = gaps[count - 1], after = gaps[count], pitch, expected, deviation, jump;
        total += gap;
        squares += gap * gap;
        pitch = dg_greater(gaps[count / 2] + room, 0.0);
        expected = DG_NUMBERS_SPREAD_WEIGHT * ((spread * pitch) * (spread * pitch));
        deviation = dg_sqrt((dg_greater(squares - total * total / count, 0.0) + expected) /
                            (count - 1 + DG_NUMBERS_SPREAD_WEIGHT));
        jump = dg_greater(DG_NUMBERS_MIN_JUMP,
                          DG_NUMBERS_JUMP_OF_SPREAD * (1.0 + DG_NUMBERS_FEW_GAPS / count) * deviation);
        if (after >= DG_NUMBERS_MIN_WIDE + spread && after - gap >= jump)
            return count;
    }
    return gap_count;
}

/* The sorted gaps between digits with nothing between them. */
static int32_t dg_sorted_gaps(const struct dg_number_line *line, const int32_t *places, int32_t count, double *gaps) {
    int32_t found = 0, n;
    for (n = 0; n + 1 < count; n++)
        if (places[n + 1] == places[n] + 1)
            gaps[found++] = dg_gap_between(line, places[n], places[n + 1]);
    dg_sort_values(gaps, found);
    return found;
}

/* Measures how far apart the digits at some places of the line stand. `values` has room for as many. */
static void dg_measure(struct dg_number_line *line, const int32_t *places, int32_t count, double *values) {
    static const double shares[][2] = DG_NUMBERS_ROOM_SHARES;
    double deviations = 0.0, spread, best_cost = 0.0, limit, between;
    int32_t n, wide = 0, found, inside, tried, best = 0;
    for (n = 0; n < count; n++)
        values[n] = dg_shown_at(line, places[n])->height;
    line->height = dg_greater(dg_upper_median(values, count), 2.220446049250313e-16);
    for (n = 0; n < count; n++) {
        double width = dg_shown_at(line, places[n])->width / line->height;
        double deviation = dg_shown_at(line, places[n])->height / line->height - 1.0;
        if (width >= DG_NUMBERS_NARROW)
            values[wide++] = width;
        deviations += dg_lesser(deviation < 0.0 ? -deviation : deviation, DG_NUMBERS_MAX_DEVIATION);
    }
    line->room = wide ? dg_upper_median(values, wide) : DG_NUMBERS_ROOM;
    spread = DG_NUMBERS_EVEN_SPREAD + DG_NUMBERS_SPREAD_OF_HEIGHTS * deviations / count;
    for (tried = 0; tried < (int32_t)(sizeof shares / sizeof *shares); tried++) {
        double cost;
        memcpy(line->shares, shares[tried], sizeof line->shares);
        found = dg_sorted_gaps(line, places, count, values);
        inside = dg_count_inside(values, found, line->room, spread);
        cost = (inside ? values[inside - 1] - values[0] : 0.0) +
               DG_NUMBERS_SHIFT_COST * (shares[tried][0] != shares[tried][1]);
        cost +=
            DG_NUMBERS_SPLIT_COST * (found > inside) + DG_NUMBERS_MORE_COST * (found > inside ? found - inside - 1 : 0);
        if (tried == 0 || cost < best_cost) {
            best_cost = cost;
            best = tried;
        }
    }
    memcpy(line->shares, shares[best], sizeof line->shares);
    found = dg_sorted_gaps(line, places, count, values);
    inside = dg_count_inside(values, found, line->room, spread);
    line->typical = inside ? values[inside / 2] : DG_NUMBERS_TIGHT;
    line->pitch = line->typical + line->room;
    limit = inside > 1 && values[inside - 1] - values[0] < DG_NUMBERS_EVEN_RANGE * line->pitch ? DG_NUMBERS_MAX_EVEN_GAP
                                                                                               : DG_NUMBERS_MAX_GAP;
    between = inside < found ? (values[inside - 1] + values[inside]) / 2.0 : limit;
    line->max_gap = dg_lesser(between, limit);
    line->typical = dg_lesser(dg_greater(line->typical, 0.0), limit);
}

/* Joins digits at even distances that stand one in a cell, with a rule between each two. */
static void dg_join_cells(const struct dg_number_line *line, const int32_t *places, int32_t count,
                          unsigned char *links) {
    int32_t start = 0, end, n;
    for (end = 0; end < count; end++) {
        if (end + 1 < count && dg_is_ruled(line, places[end], places[end + 1]))
            continue;
        if (end + 1 - start >= DG_NUMBERS_MIN_CELLS && !(start && links[start - 1]) &&
            !(end < count - 1 && links[end])) {
            double least = 0.0, most = 0.0;
            for (n = start; n < end; n++) {
                double distance = dg_distance_between(line, places[n], places[n + 1]);
                least = n == start ? distance : dg_lesser(least, distance);
                most = n == start ? distance : dg_greater(most, distance);
            }
            if (most <= DG_NUMBERS_CELL_RATIO * least)
                memset(links + start, 1, (size_t)(end - start));
        }
        start = end + 1;
    }
}

/* Joins digits at the line's usual distance, between which there is no room for a letter. */
static void dg_join_crowded(const struct dg_number_line *line, const int32_t *places, int32_t count,
                            unsigned char *links, double *values) {
    double usual;
    int32_t n, k;
    if (count < DG_NUMBERS_MIN_CROWD)
        return;
    for (n = 0; n + 1 < count; n++)
        values[n] = dg_distance_between(line, places[n], places[n + 1]);
    usual = dg_upper_median(values, count - 1);
    for (n = 0; n + 1 < count; n++) {
        int is_other = places[n + 1] > places[n] + 1;
        for (k = places[n] + 1; k < places[n + 1]; k++)
            is_other = is_other && dg_shown_at(line, k)->text == DG_OTHER_TEXT;
        if (is_other && usual < DG_NUMBERS_MAX_CROWDED &&
            dg_distance_between(line, places[n], places[n + 1]) <= DG_NUMBERS_CELL_RATIO * usual)
            links[n] = 1;
    }
}

/* The link behind the group of digits that begins at `first`, or count - 1 for the last group. */
static int32_t dg_end_of_group(const unsigned char *links, int32_t count, int32_t first) {
    while (first < count - 1 && links[first])
        first++;
    return first;
}

/* The same where that sign between two digits ends a group as well. */
static int32_t dg_end_before(const struct dg_number_line *line, char sign, const int32_t *places,
                             const unsigned char *links, int32_t count, int32_t first) {
    while (first < count - 1 && links[first] && !dg_has_between(line, sign, places[first], places[first + 1]))
        first++;
    return first;
}

/* Whether that sign stands between the group of digits that ends at `last` and the next one, as in a date. */
static int dg_is_dated(const struct dg_number_line *line, char sign, const int32_t *places, int32_t count,
                       int32_t last) {
    return last >= 0 && last + 1 < count && dg_is_date_sign(line, sign, places[last], places[last + 1]);
}

/* Joins three groups of digits with two hyphens or two slashes, unless all are single digits. `joins` has room for as
 * many as links. */
static void dg_join_dates(const struct dg_number_line *line, char sign, const int32_t *places, int32_t count,
                          unsigned char *links, unsigned char *joins) {
    int32_t first, before = -1, n;
    for (n = 0; n < count; n++)
        joins[n] = 0;
    for (first = 0; first < count; first = before + 1) {
        int32_t ends[3] = {0, 0, 0}, begin = first, longest = 0, group;
        int is_plain = 1; /* with no sign inside */
        for (group = 0; group < 3 && begin < count; group++) {
            ends[group] = dg_end_before(line, sign, places, links, count, begin);
            longest = ends[group] - begin + 1 > longest ? ends[group] - begin + 1 : longest;
            is_plain = is_plain && places[ends[group]] - places[begin] == ends[group] - begin;
            begin = ends[group] + 1;
        }
        if (group == 3 && is_plain && longest > 1 && longest <= DG_NUMBERS_MAX_DATE_GROUP &&
            dg_is_dated(line, sign, places, count, ends[0]) && dg_is_dated(line, sign, places, count, ends[1]) &&
            !dg_is_dated(line, sign, places, count, before) && !dg_is_dated(line, sign, places, count, ends[2]))
            joins[ends[0]] = joins[ends[1]] = 1;
        before = ends[0];
    }
    for (n = 0; n < count; n++)
        if (joins[n])
            links[n] = 1;
}

/* The digits and doubtful places that a text begins with, at most `most`. */
static int32_t dg_run_of_digits(const char *text, int32_t most) {
    int32_t count = 0;
    while (count < most && (text[count] == DG_DOUBT || (text[count] >= '0' && text[count] <= '9')))
        count++;
    return count;
}

/* Whether a text is a time: 20:16, 1:02:33.5. */
static int dg_is_time(const char *text) {
    int32_t hours = dg_run_of_digits(text, 3), parts = 0, rest;
    if (hours < 1 || hours > 2)
        return 0;
    for (text += hours; *text == ':'; text += 3, parts++)
        if (dg_run_of_digits(text + 1, 2) < 2)
            return 0;
    if (*text == '.' || *text == ',') {
        rest = dg_run_of_digits(text + 1, 0x7fffffff);
        if (!rest)
            return 0;
        text += 1 + rest;
    }
    return parts > 0 && !*text;
}

/* Whether the colons of a number are the frames of wheels: they take no room, and it is no time. */
static int dg_has_frames(const struct dg_number_line *line, const int32_t *places, int32_t count, const char *text) {
    double least = 0.0, most = 0.0;
    int32_t n;
    if (!strchr(text, ':') || dg_is_time(text) || count < DG_NUMBERS_MIN_CROWD)
        return 0;
    for (n = 0; n + 1 < count; n++) {
        double distance = dg_distance_between(line, places[n], places[n + 1]);
        least = n ? dg_lesser(least, distance) : distance;
        most = n ? dg_greater(most, distance) : distance;
    }
    return most <= DG_NUMBERS_CELL_RATIO * least;
}

/* From a minus that begins the line to the room of the digit after it, where that ends with its ink. */
static double dg_minus_gap(const struct dg_number_line *line) {
    const struct dg_character *minus = dg_shown_at(line, 0), *one = dg_shown_at(line, 1);
    double narrower = dg_greater(line->room - one->width / line->height, 0.0);
    return dg_lesser(dg_gap_between(line, 0, 1), (one->x - minus->x - minus->width) / line->height - narrower);
}

/* Whether a minus or a plus stands before a number's first digit and belongs to it. */
static int dg_has_sign(const struct dg_number_line *line, int32_t first) {
    char sign = '\0';
    if (first > 0)
        sign = dg_shown_at(line, first - 1)->text;
    if (sign == '-' && first == 1 && dg_minus_gap(line) <= line->typical + DG_NUMBERS_MINUS_GAP)
        return 1;
    if ((sign != '-' && sign != '+') || !dg_is_close(line, first - 1, first))
        return 0;
    if (first == 1 || !dg_is_place(dg_shown_at(line, first - 2)))
        return 1;
    return sign == '-' && !dg_is_close(line, first - 2, first - 1);
}

/* The confidence that all of a number is right: its digits, its signs, and where it begins and ends. */
static double dg_number_confidence(const struct dg_number_line *line, const int32_t *places, int32_t count,
                                   int32_t first, int has_frames) {
    static const double weights[DG_NUMBER_FEATURES] = DG_CONFIDENCE_NUMBER_WEIGHTS;
    double features[DG_NUMBER_FEATURES], product = 1.0, least = 1.0, hole = 0.0, sum = 0.0;
    int32_t last = places[count - 1], touched = 0, near = 0, n, side;
    for (n = first; n <= last; n++) {
        const struct dg_character *one = dg_shown_at(line, n);
        if (one->text == DG_DOUBT)
            return 0.0;
        if (one->text == DG_OTHER_TEXT || (has_frames && one->text == ':'))
            continue;
        product *= one->confidence;
        least = dg_lesser(least, one->confidence);
    }
    for (n = 0; n + 1 < count; n++)
        if (places[n + 1] == places[n] + 1)
            hole = dg_greater(hole, dg_gap_between(line, places[n], places[n + 1]) - line->typical);
    for (side = 0; side < 2; side++) {
        int32_t left = side ? last : first - 1;
        const struct dg_character *outside;
        if (left < 0 || left + 1 >= line->shown_count)
            continue;
        outside = dg_shown_at(line, side ? left + 1 : left);
        touched += !dg_is_place(outside) && dg_is_close(line, left, left + 1);
        near += dg_is_place(outside) && dg_gap_between(line, left, left + 1) <= DG_NUMBERS_NEAR;
    }
    features[DG_NUMBER_ALL] = dg_log_odds(product, DG_NUMBERS_MAX_CERTAINTY);
    features[DG_NUMBER_LEAST] = dg_log_odds(least, DG_NUMBERS_MAX_CERTAINTY);
    features[DG_NUMBER_DIGITS] = (double)count;
    features[DG_NUMBER_HOLE] = dg_lesser(hole, 1.0);
    features[DG_NUMBER_TOUCHED] = (double)touched;
    features[DG_NUMBER_NEAR] = (double)near;
    features[DG_NUMBER_CONSTANT] = 1.0;
    for (n = 0; n < DG_NUMBER_FEATURES; n++)
        sum += weights[n] * features[n];
    return dg_logistic(sum);
}

/* Whether the middle of a character lies within the digit before or after it, so that it separates nothing. */
static int dg_is_on_digit(const struct dg_character *characters, int32_t count, int32_t index) {
    double middle = characters[index].x + characters[index].width / 2.0;
    int32_t n;
    for (n = index > 0 ? index - 1 : 0; n <= index + 1 && n < count; n++)
        if (n != index && dg_is_place(&characters[n]) && characters[n].x <= middle &&
            middle <= characters[n].x + characters[n].width)
            return 1;
    return 0;
}

/* The end of the digits from `start` on that have one size: no neighbour of theirs is much higher or lower. */
static int32_t dg_end_of_size(const struct dg_number_line *line, const int32_t *places, int32_t count, int32_t start) {
    int32_t end;
    for (end = start + 1; end < count; end++) {
        double height = dg_shown_at(line, places[end - 1])->height, other = dg_shown_at(line, places[end])->height;
        if (dg_greater(height, other) > DG_LINES_MAX_HEIGHT_RATIO * dg_lesser(height, other))
            break;
    }
    return end;
}

/* Measures a line by digits of one size, and links those that belong together with the next one. `joins` and `values` have
 * room for as many. */
static void dg_link(struct dg_number_line *line, const int32_t *places, int32_t count, unsigned char *links,
                    unsigned char *joins, double *values) {
    int32_t n;
    dg_measure(line, places, count, values);
    links[count - 1] = 0;
    for (n = 0; n + 1 < count; n++)
        links[n] = (unsigned char)dg_is_joined(line, places[n], places[n + 1]);
    dg_join_cells(line, places, count, links);
    dg_join_crowded(line, places, count, links, values);
    dg_join_dates(line, '-', places, count, links, joins);
    dg_join_dates(line, '/', places, count, links, joins);
}

DG_LOCAL int dg_group(const struct dg_character *characters, int32_t count, struct dg_arena *arena,
                      struct dg_groups *groups) {
    struct dg_number_line line;
    unsigned char *mark = arena->at, *links = dg_take_array(arena, count, sizeof *links);
    unsigned char *joins = dg_take_array(arena, count, sizeof *joins);
    int32_t *shown = dg_take_array(arena, count, sizeof *shown), *places = dg_take_array(arena, count, sizeof *places);
    double *values = dg_take_array(arena, count, sizeof *values);
    int32_t place_count = 0, n, k, start, end = 0, texts = 0;
    groups->count = 0;
    if (!links || !joins || !shown || !places || !values)
        return DIGITOCR_ERROR_MEMORY;
    line.characters = characters;
    line.shown = shown;
    line.shown_count = 0;
    for (n = 0; n < count; n++)
        if (characters[n].text != DG_OTHER_TEXT || !dg_is_on_digit(characters, count, n)) {
            if (dg_is_place(&characters[n]))
                places[place_count++] = line.shown_count;
            shown[line.shown_count++] = n;
        }
    for (start = 0; start < place_count; start = n + 1) {
        struct dg_group *made = &groups->groups[groups->count++];
        int32_t first = places[start], own;
        char *text;
        int has_frames;
        if (start == end) { /* the digits before are of another size */
            end = dg_end_of_size(&line, places, place_count, start);
            dg_link(&line, places + start, end - start, links + start, joins, values);
        }
        n = dg_end_of_group(links, end, start);
        own = n - start + 1;
        if (dg_has_sign(&line, first))
            first--;
        made->text = text = groups->texts + texts;
        for (k = first; k <= places[n]; k++)
            if (dg_shown_at(&line, k)->text != DG_OTHER_TEXT)
                *text++ = dg_shown_at(&line, k)->text;
        *text = '\0';
        has_frames = dg_has_frames(&line, places + start, own, made->text);
        if (has_frames) {
            char *from = groups->texts + texts;
            for (text = from; *from; from++)
                if (*from != ':')
                    *text++ = *from;
            *text = '\0';
        }
        texts += (int32_t)(text - made->text) + 1;
        made->first = start;
        made->count = own;
        made->confidence = dg_number_confidence(&line, places + start, own, first, has_frames);
    }
    for (n = 0; n < place_count; n++)
        groups->places[n] = shown[places[n]];
    arena->at = mark;
    return DIGITOCR_OK;
}

/* --- What is read (attempt.py) ------------------------------------------------------------------------------------ */

DG_LOCAL int dg_without_cut_wheel(const struct digitocr_box *boxes, float *confidence, int32_t count, int32_t height) {
    float low = (float)(DG_ATTEMPT_PART_HEIGHT_LOW * height), high = (float)(DG_ATTEMPT_PART_HEIGHT_HIGH * height);
    float edge = (float)(DG_ATTEMPT_EDGE * height), end = (float)((1.0 - DG_ATTEMPT_EDGE) * height);
    int32_t read[2] = {-1, -1}, read_count = 0, upper, lower, n;
    for (n = 0; n < count; n++)
        if (confidence[n] >= (float)DG_ATTEMPT_READ_CONFIDENCE) {
            if (read_count == 2)
                return 0;
            read[read_count++] = n;
        }
    if (!read_count)
        return 0;
    for (upper = 0; upper < count; upper++) {
        const struct digitocr_box *one = &boxes[upper];
        if (!(one->height > low && one->height < high && one->y < edge))
            continue;
        for (lower = 0; lower < count; lower++) {
            const struct digitocr_box *other = &boxes[lower];
            if (!(other->height > low && other->height < high && other->y + other->height > end))
                continue;
            if (dg_distance_float(dg_centre_x(one), dg_centre_x(other)) >
                0.5F * dg_greater_float(one->width, other->width))
                continue;
            if (!(one->y + one->height - other->y < edge))
                continue;
            if ((read[0] != upper && read[0] != lower) || (read_count > 1 && read[1] != upper && read[1] != lower))
                continue;
            for (n = 0; n < read_count; n++)
                confidence[read[n]] = 0.0F;
            return 1;
        }
    }
    return 0;
}

/* Marks the doubtful places of a line where another one of it is, such as both halves of a turning wheel. One of each
 * two is left, a digit that is read before a doubtful place. */
static void dg_mark_repeated(const struct digitocr_box *boxes, const float *confidence, const float *places,
                             const int32_t *rows, int32_t count, unsigned char *is_repeated) {
    int32_t n;
    for (n = 0; n + 1 < count; n++) {
        const struct digitocr_box *one = &boxes[rows[n]], *other = &boxes[rows[n + 1]];
        double left = dg_greater((double)one->x, (double)other->x);
        double right = dg_lesser((double)one->x + (double)one->width, (double)other->x + (double)other->width);
        int is_read = confidence[rows[n]] >= (float)DG_ATTEMPT_READ_CONFIDENCE;
        int is_other_read = confidence[rows[n + 1]] >= (float)DG_ATTEMPT_READ_CONFIDENCE;
        int32_t worse = rows[n];
        if (!(right - left > DG_ATTEMPT_SAME_PLACE * dg_lesser((double)one->width, (double)other->width)))
            continue;
        if (is_other_read < is_read || (is_other_read == is_read && places[rows[n + 1]] < places[worse]))
            worse = rows[n + 1];
        if (!(confidence[worse] >= (float)DG_ATTEMPT_READ_CONFIDENCE))
            is_repeated[worse] = 1;
    }
}

DG_LOCAL int dg_find_kept(const struct digitocr_box *boxes, const float *confidence, const float *places, int32_t count,
                          float conf, int32_t mode, struct dg_arena *arena, struct dg_lines *lines) {
    unsigned char *mark = arena->at, *is_repeated = dg_take_array(arena, count, sizeof *is_repeated);
    int32_t *rows = dg_take_array(arena, count, sizeof *rows), *order = dg_take_array(arena, count, sizeof *order);
    double *keys = dg_take_array(arena, count, sizeof *keys);
    float read = (float)DG_ATTEMPT_READ_CONFIDENCE;
    int32_t kept = 0, at = 0, line, line_count = 0, n, k;
    int error = DIGITOCR_OK;
    if (!is_repeated || !rows || !order || !keys)
        return DIGITOCR_ERROR_MEMORY;
    lines->count = 0;
    lines->starts[0] = 0;
    if (mode == DIGITOCR_MODE_SINGLE) {
        if (count) {
            lines->count = 1;
            lines->starts[1] = 1;
            lines->rows[0] = dg_argmax(confidence, count);
        }
        arena->at = mark;
        return DIGITOCR_OK;
    }
    for (n = 0; n < count; n++)
        is_repeated[n] = 0;
    if (mode == DIGITOCR_MODE_LINE) {
        for (n = 0; n < count; n++)
            keys[n] = (double)dg_centre_x(&boxes[n]);
        dg_argsort(keys, count, order);
        for (n = 0; n < count; n++)
            if (places[order[n]] >= read)
                rows[kept++] = order[n];
        dg_mark_repeated(boxes, confidence, places, rows, kept, is_repeated);
        for (n = kept = 0; n < count; n++)
            if (confidence[order[n]] >= conf || places[order[n]] >= dg_greater_float(conf, read))
                lines->rows[kept++] = order[n];
        lines->count = 1;
        lines->starts[1] = kept;
    } else {
        for (n = 0; n < count; n++)
            if (places[n] >= read)
                rows[kept++] = n;
        error = dg_reading_order(boxes, rows, kept, arena, lines);
        for (line = 0; line < lines->count && !error; line++)
            dg_mark_repeated(boxes, confidence, places, lines->rows + lines->starts[line],
                             lines->starts[line + 1] - lines->starts[line], is_repeated);
        if (!error && conf < read) {
            for (n = kept = 0; n < count; n++)
                if (places[n] < read && confidence[n] >= conf) {
                    keys[kept] = -(double)confidence[n];
                    rows[kept++] = n;
                }
            dg_argsort(keys, kept, order);
            for (n = 0; n < kept; n++)
                order[n] = rows[order[n]];
            if (kept)
                error = dg_join(lines, boxes, count, order, kept, arena);
        }
        if (error)
            return error;
    }
    for (line = 0, n = 0; line < lines->count; line++) { /* without what is too unsure, and lines with nothing sure */
        int32_t first = at, end = lines->starts[line + 1];
        int is_sure = 0;
        for (; n < end; n++) {
            k = lines->rows[n];
            if (mode == DIGITOCR_MODE_AUTO && conf > read && places[k] < conf)
                continue;
            if (is_repeated[k] && !(confidence[k] >= conf))
                continue;
            lines->rows[at++] = k;
            is_sure = is_sure || confidence[k] >= conf;
        }
        if (is_sure)
            lines->starts[++line_count] = at;
        else
            at = first;
    }
    lines->count = line_count;
    arena->at = mark;
    return DIGITOCR_OK;
}

/* Whether a sign or a word stands on a line of candidates: level with the nearest of its digits. */
static int dg_is_beside(const struct dg_character *other, const struct digitocr_box *boxes, const int32_t *rows,
                        int32_t count) {
    float best = 0.0F;
    int32_t nearest = 0, n;
    double height, off;
    for (n = 0; n < count; n++) {
        float away = dg_centre_x(&boxes[rows[n]]) - (float)other->x - (float)(other->width / 2.0);
        away = away < 0.0F ? -away : away;
        if (n == 0 || away < best) {
            best = away;
            nearest = n;
        }
    }
    height = (double)boxes[rows[nearest]].height;
    off = (double)dg_centre_y(&boxes[rows[nearest]]) - other->y - other->height / 2.0;
    return (off < 0.0 ? -off : off) < DG_ATTEMPT_MAX_RISE * height &&
           DG_ATTEMPT_MIN_OTHER_HEIGHT * height < other->height && other->height < height / DG_ATTEMPT_MIN_OTHER_HEIGHT;
}

DG_LOCAL int dg_line_characters(const struct dg_recognition *found, const float *digits, int32_t stride,
                                const float *confidence, const int32_t *rows, int32_t count, float told,
                                struct dg_arena *arena, struct dg_character **characters, int32_t *character_count) {
    int32_t made = count, n;
    struct dg_character *sorted;
    unsigned char *mark;
    double *keys;
    int32_t *order, *others; /* others: which signs and words stand on the line */
    for (n = 0; n < found->other_count; n++)
        made += dg_is_beside(&found->others[n], found->boxes, rows, count);
    sorted = dg_take_array(arena, made, sizeof *sorted);
    mark = arena->at;
    keys = dg_take_array(arena, made, sizeof *keys);
    order = dg_take_array(arena, made, sizeof *order);
    others = dg_take_array(arena, made - count, sizeof *others);
    if (!sorted || !keys || !order || !others)
        return DIGITOCR_ERROR_MEMORY;
    made = 0;
    for (n = 0; n < count; n++) {
        const struct digitocr_box *box = &found->boxes[rows[n]];
        keys[made++] = (double)box->x + (double)box->width / 2.0;
    }
    for (n = 0; n < found->other_count; n++)
        if (dg_is_beside(&found->others[n], found->boxes, rows, count)) {
            others[made - count] = n;
            keys[made++] = found->others[n].x + found->others[n].width / 2.0;
        }
    dg_argsort(keys, made, order);
    for (n = 0; n < made; n++) {
        struct dg_character *one = &sorted[n];
        if (order[n] >= count) {
            *one = found->others[others[order[n] - count]];
        } else {
            int32_t row = rows[order[n]];
            const struct digitocr_box *box = &found->boxes[row];
            one->x = (double)box->x;
            one->y = (double)box->y;
            one->width = (double)box->width;
            one->height = (double)box->height;
            one->confidence = (double)confidence[row];
            one->row = row;
            one->text = confidence[row] >= told ? (char)('0' + dg_argmax(digits + row * stride, 10)) : DG_DOUBT;
        }
    }
    arena->at = mark;
    *characters = sorted;
    *character_count = made;
    return DIGITOCR_OK;
}

/* --- Rotations (orientation.py) ----------------------------------------------------------------------------------- */

DG_LOCAL int dg_reading_scores(const float *probabilities, int32_t stride, const float *confidence, int32_t count,
                               struct dg_arena *arena, struct dg_scores *scores) {
    unsigned char *mark = arena->at;
    double *upright_values = dg_take_array(arena, count, sizeof *upright_values);
    double *values = dg_take_array(arena, count, sizeof *values);
    int32_t n, read = 0, nonzero = 0;
    if (!upright_values || !values)
        return DIGITOCR_ERROR_MEMORY;
    for (n = 0; n < count; n++)
        if (confidence[n] >= (float)DG_ATTEMPT_READ_CONFIDENCE) {
            double over = (double)confidence[n] - DG_ATTEMPT_READ_CONFIDENCE;
            values[read++] = over;
            if (dg_argmax(probabilities + n * stride, 10) > 0) /* a zero looks the same on its side */
                upright_values[nonzero++] = over;
        }
    scores->read = read;
    scores->reading = dg_double_sum(values, read);
    scores->upright = dg_double_sum(upright_values, nonzero);
    read = 0;
    for (n = 0; n < count; n++)
        if (confidence[n] >= (float)DG_ATTEMPT_READ_CONFIDENCE)
            values[read++] = (double)confidence[n];
    scores->mean = read ? dg_double_sum(values, read) / (double)read : 0.0;
    arena->at = mark;
    return DIGITOCR_OK;
}

DG_LOCAL void dg_turned_back(const struct digitocr_box *boxes, int32_t count, int32_t width, int32_t height,
                             int32_t turned_width, int32_t turned_height, int32_t degrees, struct digitocr_box *back) {
    double cosine, sine_of, wide, high;
    int32_t n;
    dg_cos_sin(degrees, &cosine, &sine_of);
    wide = cosine < 0.0 ? -cosine : cosine;
    high = sine_of < 0.0 ? -sine_of : sine_of;
    for (n = 0; n < count; n++) {
        double x = (double)dg_centre_x(&boxes[n]) - (double)turned_width / 2.0;
        double y = (double)dg_centre_y(&boxes[n]) - (double)turned_height / 2.0;
        double w = (double)boxes[n].width * wide + (double)boxes[n].height * high;
        double h = (double)boxes[n].width * high + (double)boxes[n].height * wide;
        if (!degrees) {
            back[n] = boxes[n];
            continue;
        }
        back[n].x = (float)(x * cosine + y * sine_of + (double)width / 2.0 - w / 2.0);
        back[n].y = (float)(y * cosine - x * sine_of + (double)height / 2.0 - h / 2.0);
        back[n].width = (float)w;
        back[n].height = (float)h;
    }
}

DG_END_SMALL
