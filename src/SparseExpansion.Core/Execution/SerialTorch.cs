using System.Diagnostics;
using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace SparseExpansion.Execution;

/// <summary>
/// Keeps torch operations of the calling thread on that thread. torch.set_num_threads cannot: it also decides for
/// threads that have not used torch yet. OpenMP's own setting is one of the thread alone.
/// </summary>
internal static unsafe class SerialTorch
{
    private static readonly delegate* unmanaged<int, void> SetThreads = Find();

    /// <summary>False where torch runs on something other than OpenMP, or its OpenMP cannot be found.</summary>
    public static bool IsAvailable => SetThreads is not null;

    /// <summary>From now on operations of this thread use no other; returns what <see cref="Leave"/> needs.</summary>
    public static int Enter()
    {
        // Asking makes torch set up this thread; otherwise its first operation would, and undo the setting.
        int before = get_num_threads();
        SetThreads(1);
        return before;
    }

    /// <summary>Undoes <see cref="Enter"/>.</summary>
    public static void Leave(int before) => SetThreads(before);

    /// <summary>
    /// The function of that OpenMP library in this process which torch listens to; several may be loaded.
    /// </summary>
    private static delegate* unmanaged<int, void> Find()
    {
        int threads = get_num_threads();
        using Process process = Process.GetCurrentProcess();
        foreach (ProcessModule module in process.Modules.Cast<ProcessModule>().Where(OpenMPWaiting.IsOpenMP))
        {
            if (NativeLibrary.TryLoad(module.FileName, out nint library)
                && NativeLibrary.TryGetExport(library, "omp_set_num_threads", out nint function))
            {
                var set = (delegate* unmanaged<int, void>)function;
                int probe = threads == 1 ? 2 : 1;
                set(probe);
                bool heard = get_num_threads() == probe;
                set(threads);
                if (heard)
                {
                    return set;
                }
            }
        }

        return null;
    }
}
