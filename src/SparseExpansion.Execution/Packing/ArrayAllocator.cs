namespace SparseExpansion.Execution.Packing;

/// <summary>
/// Makes an array of so many elements, whose content is undefined. Whoever wants to see packed arrays as tensors lets
/// libtorch allocate them.
/// </summary>
internal delegate NativeArray ArrayAllocator(long length, ElementType type);
