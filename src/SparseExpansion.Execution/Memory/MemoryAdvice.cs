using System.Runtime.InteropServices;

namespace SparseExpansion.Execution.Memory;

/// <summary>Advice to Linux about memory that kernels will read. Hints: nothing depends on their success.</summary>
internal static unsafe partial class MemoryAdvice
{
    private const nuint HugePageSize = 2 * 1024 * 1024;
    private const int WillNeedAdvice = 3;
    private const int DoNotNeedAdvice = 4;
    private const int HugePageAdvice = 14;

    /// <summary>
    /// Asks for 2 MB pages; to be called before the memory is first written. Products with few tokens read weights at
    /// memory speed, and address translation in 4 KB pages costs a third of it (measured: 16 against 27 GB/s on a
    /// virtual machine).
    /// </summary>
    public static void HugePages(byte* memory, nuint bytes) => Advise(memory, bytes, HugePageSize, HugePageAdvice);

    /// <summary>Asks for the pages of a mapped file before they are read.</summary>
    public static void ReadAhead(byte* memory, nuint bytes) =>
        Advise(memory, bytes, (nuint)Environment.SystemPageSize, WillNeedAdvice);

    /// <summary>
    /// Lets go of the pages of a mapped file that are not needed any more; reading them again brings them back. Never of
    /// other memory, whose contents would be lost.
    /// </summary>
    public static void Release(byte* mapped, nuint bytes) =>
        Advise(mapped, bytes, (nuint)Environment.SystemPageSize, DoNotNeedAdvice);

    /// <summary>Advises the whole pages inside of the memory.</summary>
    private static void Advise(byte* memory, nuint bytes, nuint page, int advice)
    {
        nuint first = ((nuint)memory + page - 1) & ~(page - 1);
        nuint end = ((nuint)memory + bytes) & ~(page - 1);
        if (OperatingSystem.IsLinux() && end > first)
        {
            _ = Advise((void*)first, end - first, advice);
        }
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Advise(void* address, nuint length, int advice);
}
