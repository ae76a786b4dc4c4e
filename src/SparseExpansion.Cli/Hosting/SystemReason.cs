using System.Runtime.InteropServices;

namespace SparseExpansion.Cli.Hosting;

/// <summary>Reasons why the system refuses a file or folder, without its name, which the user may not know.</summary>
internal static class SystemReason
{
    private const int SystemError = unchecked((int)0x8007_0000);

    /// <summary>The reason, such as <c>permission denied</c>.</summary>
    public static string Of(Exception error) => error switch
    {
        UnauthorizedAccessException => "permission denied",
        FileNotFoundException or DirectoryNotFoundException => "the system reports that it does not exist",
        PathTooLongException => "the path is too long",
        // On Unix this is the system's error number; on Windows its lower half is.
        { HResult: > 0 } => Marshal.GetPInvokeErrorMessage(error.HResult),
        _ when (error.HResult & SystemError) == SystemError => Marshal.GetPInvokeErrorMessage(error.HResult & 0xFFFF),
        _ => error.GetType().Name,
    };
}
