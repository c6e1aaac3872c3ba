/* libscicodec: error-bounded compression of gridded fields, for C.
 *
 * Shapes, chunk shapes and regions are slowest axis first, as in numpy, HDF5 and netCDF. Arrays are in C order and in
 * the byte order of the machine. Texts are UTF-8 and end in a 0 byte.
 *
 * What can fail gives a scicodec_status; scicodec_last_error() then says in words what went wrong. No call ends the
 * program or throws. A pointer that is NULL and must not be gives SCICODEC_STATUS_INVALID_ARGUMENT; results are written
 * only on success.
 *
 * Any number of threads may use the library, and one scicodec_file, at once; scicodec_options must not be changed while
 * another thread uses them. Generated from tools/capi/src/ffi.rs: do not edit. */

#ifndef SCICODEC_H
#define SCICODEC_H

#include <stddef.h>
#include <stdint.h>

// Most axes of an array.
#define SCICODEC_MAX_RANK 6

// How a call ended.
typedef enum {
  // As asked.
  SCICODEC_STATUS_OK = 0,
  // The operating system refused.
  SCICODEC_STATUS_IO = 1,
  // The bytes are damaged, cut short, or no .scz file.
  SCICODEC_STATUS_CORRUPT = 2,
  // Valid, but of a kind that this version does not know.
  SCICODEC_STATUS_UNSUPPORTED = 3,
  // More memory would be needed than the library's limits allow.
  SCICODEC_STATUS_LIMIT = 4,
  // The arguments make no sense, alone or together.
  SCICODEC_STATUS_INVALID_ARGUMENT = 5,
  // A model that the data was coded with is not at hand.
  SCICODEC_STATUS_MODEL_MISSING = 6,
  // A defect of the library. Nothing was written; objects of the call can still be freed.
  SCICODEC_STATUS_DEFECT = 7,
} scicodec_status;

// Element types.
typedef enum {
  // IEEE 754 half precision
  SCICODEC_DTYPE_F16 = 0,
  // IEEE 754 single precision
  SCICODEC_DTYPE_F32 = 1,
  // IEEE 754 double precision
  SCICODEC_DTYPE_F64 = 2,
  // int8_t
  SCICODEC_DTYPE_I8 = 3,
  // int16_t
  SCICODEC_DTYPE_I16 = 4,
  // int32_t
  SCICODEC_DTYPE_I32 = 5,
  // int64_t
  SCICODEC_DTYPE_I64 = 6,
  // uint8_t
  SCICODEC_DTYPE_U8 = 7,
  // uint16_t
  SCICODEC_DTYPE_U16 = 8,
  // uint32_t
  SCICODEC_DTYPE_U32 = 9,
  // uint64_t
  SCICODEC_DTYPE_U64 = 10,
} scicodec_dtype;

// An opened file.
typedef struct scicodec_file scicodec_file;

// How to encode.
typedef struct scicodec_options scicodec_options;

// A variable of a file. Its texts belong to the file and are valid until that is closed.
typedef struct {
  // Its name; a lone array may have an empty one.
  const char *name;
  // Units of its values; may be empty.
  const char *units;
  // The bound as asked: "abs=0.001".
  const char *error_bound;
  // A scicodec_dtype.
  uint32_t dtype;
  // Number of axes.
  size_t rank;
  // Extents, slowest axis first; 0 from `rank` on.
  uint64_t shape[SCICODEC_MAX_RANK];
  // Extents of a chunk: the unit of random access.
  uint64_t chunk_shape[SCICODEC_MAX_RANK];
  // Bytes of its values, decoded.
  uint64_t value_bytes;
  // Bytes of its chunks, encoded.
  uint64_t encoded_bytes;
  // Number of attributes: see scicodec_attribute.
  size_t attributes;
  // Whether its axes have names: see scicodec_dimension.
  uint32_t named_dimensions;
} scicodec_variable;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// The version of the library: "0.1.0". Valid for ever.
const char *scicodec_version(void);

// What went wrong last on the calling thread, in one line. Valid until the next call of this thread that fails; empty
// before the first. Never NULL.
const char *scicodec_last_error(void);

// Options for a bound: "abs=E", "rel=E", "pw_rel=E", "psnr=DB", "nrmse=E", "l2=E" or "lossless". Free them with
// scicodec_options_free.
scicodec_status scicodec_options_new(const char *error_bound,
                                     scicodec_options **options);

// Frees options that scicodec_options_new made; NULL is left alone.
void scicodec_options_free(scicodec_options *options);

// How hard to try for a smaller file: "fast", "default" or "max".
scicodec_status scicodec_options_set_effort(scicodec_options *options, const char *effort);

// The shape of chunks: `rank` extents, slowest axis first. Without this it is chosen.
scicodec_status scicodec_options_set_chunk(scicodec_options *options,
                                           size_t rank,
                                           const uint64_t *extents);

// A value that stands for "no value": the element nearest to it is kept exactly, as NaN and infinities always are.
scicodec_status scicodec_options_set_fill(scicodec_options *options,
                                          double value);

// Threads of scicodec_encode; 0, the default, is one per core. The bytes do not depend on it.
scicodec_status scicodec_options_set_threads(scicodec_options *options, size_t threads);

// The model that may guide prediction: "default", or "none".
scicodec_status scicodec_options_set_model(scicodec_options *options, const char *model);

// Name and units of the variable, either of which may be empty. Both are copied.
scicodec_status scicodec_options_set_name(scicodec_options *options,
                                          const char *name,
                                          const char *units);

// Adds an attribute to the variable, as two texts. Both are copied.
scicodec_status scicodec_options_add_attribute(scicodec_options *options,
                                               const char *name,
                                               const char *value);

// Encodes an array: `values` are the elements of an array of `rank` axes with the extents `shape`. `*encoded` becomes
// `*encoded_bytes` bytes of a whole .scz file of one variable: they can be written to a file as they are. Free them with
// scicodec_bytes_free.
scicodec_status scicodec_encode(const scicodec_options *options,
                                uint32_t dtype,
                                size_t rank,
                                const uint64_t *shape,
                                const void *values,
                                uint8_t **encoded,
                                size_t *encoded_bytes);

// Frees what scicodec_encode made, both arguments as it set them; NULL is left alone.
void scicodec_bytes_free(uint8_t *encoded, size_t encoded_bytes);

// Opens a .scz file: its index is checked, no chunk is read. Close it with scicodec_close.
scicodec_status scicodec_open(const char *path, scicodec_file **file);

// Opens a .scz file that is in memory. The bytes are copied. Close it with scicodec_close.
scicodec_status scicodec_open_bytes(const uint8_t *encoded,
                                    size_t encoded_bytes,
                                    scicodec_file **file);

// Closes a file that scicodec_open or scicodec_open_bytes made, and so ends the life of its texts; NULL is left alone.
void scicodec_close(scicodec_file *file);

// The number of variables; 0 for NULL.
size_t scicodec_variable_count(const scicodec_file *file);

// The number of the variable of this name, counted from 0.
scicodec_status scicodec_find_variable(const scicodec_file *file,
                                       const char *name,
                                       size_t *variable);

// What a file says of a variable.
scicodec_status scicodec_describe(const scicodec_file *file,
                                  size_t variable,
                                  scicodec_variable *info);

// Name and value of an attribute of a variable, counted from 0. The texts are valid until the file is closed.
scicodec_status scicodec_attribute(const scicodec_file *file,
                                   size_t variable,
                                   size_t attribute,
                                   const char **name,
                                   const char **value);

// The name of an axis of a variable, counted from 0, slowest first. The text is valid until the file is closed.
scicodec_status scicodec_dimension(const scicodec_file *file,
                                   size_t variable,
                                   size_t axis,
                                   const char **name);

// Decodes a variable into `values`, memory of the caller's of exactly `value_bytes` bytes. `threads`: 0 is one per core;
// the values do not depend on it. After an error the memory holds anything.
scicodec_status scicodec_decode(const scicodec_file *file,
                                size_t variable,
                                size_t threads,
                                void *values,
                                size_t value_bytes);

// Decodes a box: from the index `start[k]` on, `extent[k]` indices along each axis k, slowest axis first; both have as many
// entries as the variable has axes. Only the chunks that it touches are read. The rest is as with scicodec_decode.
scicodec_status scicodec_decode_region(const scicodec_file *file,
                                       size_t variable,
                                       const uint64_t *start,
                                       const uint64_t *extent,
                                       size_t threads,
                                       void *values,
                                       size_t value_bytes);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* SCICODEC_H */
