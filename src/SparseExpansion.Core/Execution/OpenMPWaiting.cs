using System.Diagnostics;
using System.Runtime.InteropServices;

namespace SparseExpansion.Execution;

/// <summary>
/// The way in which torch's OpenMP threads wait for work. By default they spin for some milliseconds after each
/// parallel operation and so take processors away from whatever runs next: packed experts, which have threads of their
/// own, lose up to half of their speed. Threads that sleep at once make programs of many small torch operations, such
/// as fine-tuning, take up to twice as long.
/// </summary>
public static partial class OpenMPWaiting
{
    private const string PolicyVariable = "OMP_WAIT_POLICY";
    private const string SpinVariable = "GOMP_SPINCOUNT";

    /// <summary>
    /// Some tens of microseconds: longer than from one operation to the next,
    /// shorter than anything that would be missed.
    /// </summary>
    private const string Spins = "1000";

    /// <summary>
    /// Lets torch's threads sleep when they have waited for some tens of microseconds, for the whole process. To be
    /// called before the first use of torch, since OpenMP reads its settings once, when it is loaded. Settings that the
    /// user has made in the environment are left alone.
    /// </summary>
    /// <returns>True if the settings were made; false if the user has made some, or if OpenMP is loaded already and
    /// would not notice.</returns>
    public static bool UsePassive()
    {
        if (IsSet(PolicyVariable) || IsSet(SpinVariable) || IsLoaded())
        {
            return false;
        }

        Set(PolicyVariable, "passive");
        Set(SpinVariable, Spins);
        return true;
    }

    private static bool IsSet(string variable) => !string.IsNullOrEmpty(Environment.GetEnvironmentVariable(variable));

    private static bool IsLoaded()
    {
        using Process process = Process.GetCurrentProcess();
        return process.Modules.Cast<ProcessModule>().Any(IsOpenMP);
    }

    /// <summary>True for the OpenMP libraries of GNU, Intel and LLVM.</summary>
    internal static bool IsOpenMP(ProcessModule module) =>
        module.ModuleName.StartsWith("libgomp", StringComparison.Ordinal)
        || module.ModuleName.StartsWith("libiomp", StringComparison.Ordinal)
        || module.ModuleName.StartsWith("libomp", StringComparison.Ordinal);

    // On Unix, .NET keeps an environment of its own that native libraries do not see.
    private static void Set(string variable, string value)
    {
        Environment.SetEnvironmentVariable(variable, value);
        if (!OperatingSystem.IsWindows() && SetEnvironment(variable, value, 1) != 0)
        {
            throw new SparseExpansionException(
                $"The environment variable {variable} could not be set: error {Marshal.GetLastPInvokeError()}.");
        }
    }

    [LibraryImport("libc", EntryPoint = "setenv", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SetEnvironment(string name, string value, int overwrite);
}
