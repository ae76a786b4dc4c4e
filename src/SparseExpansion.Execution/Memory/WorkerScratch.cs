namespace SparseExpansion.Execution.Memory;

/// <summary>Scratch memory of each worker of a burst; grows to the largest need seen and is then used again.</summary>
internal sealed unsafe class WorkerScratch
{
    private NativeBuffer[] _buffers = [];

    /// <summary>Makes room for every worker, before any of them starts; the contents are lost.</summary>
    public void Reserve(nuint bytes, int workers)
    {
        int have = _buffers.Length;
        if (have < workers)
        {
            Array.Resize(ref _buffers, workers);
            for (int i = have; i < workers; i++)
            {
                _buffers[i] = new NativeBuffer();
            }
        }

        for (int i = 0; i < workers; i++)
        {
            _buffers[i].Reserve(bytes);
        }
    }

    /// <summary>The memory of a worker.</summary>
    public byte* Of(int worker) => _buffers[worker].Pointer;

    /// <summary>Gives the memory back at once; otherwise finalizers do.</summary>
    public void Free() => Array.ForEach(_buffers, buffer => buffer.Dispose());
}
