using System.Runtime.InteropServices;

namespace SparseExpansion.Cli;

/// <summary>Why the system refuses a file or folder, without the name of it: that may be one which the user has never heard of.</summary>
internal static class SystemReason
{
    private const int SystemError = unchecked((int)0x8007_0000);

    /// <summary>Such as <c>permission denied</c>.</summary>
    public static string Of(Exception error) => error switch
    {
        UnauthorizedAccessException => "permission denied",
        FileNotFoundException or DirectoryNotFoundException => "the system says that it does not exist",
        PathTooLongException => "the path is too long",
        // On Unix the number of the system's error itself; on Windows that number in the lower half.
        { HResult: > 0 } => Marshal.GetPInvokeErrorMessage(error.HResult),
        _ when (error.HResult & SystemError) == SystemError => Marshal.GetPInvokeErrorMessage(error.HResult & 0xFFFF),
        _ => error.GetType().Name,
    };
}
