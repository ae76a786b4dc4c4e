using System.Runtime.InteropServices;

namespace SparseExpansion.Cli;

/// <summary>Why the system refuses a file or folder, without the name of it: that may be one which the user has never heard of.</summary>
internal static class SystemReason
{
    /// <summary>Such as <c>Permission denied</c>.</summary>
    public static string Of(Exception error)
    {
        if (error is UnauthorizedAccessException { InnerException: null } or PathTooLongException)
        {
            return error is PathTooLongException ? "the path is too long" : "access is denied";
        }

        // On Unix the number of the system's error itself, on Windows that number in the lower half.
        int number = (error.InnerException ?? error).HResult;
        return Marshal.GetPInvokeErrorMessage(OperatingSystem.IsWindows() ? number & 0xFFFF : number);
    }
}
