using Amazon.Lambda.Core;

namespace Amazon.Lambda.RuntimeSupport;

/// <summary>A handler, with its event and result as streams.</summary>
public class HandlerWrapper
{
    private HandlerWrapper(Func<Stream, ILambdaContext, Task<Stream>> invoke) => Invoke = invoke;

    internal Func<Stream, ILambdaContext, Task<Stream>> Invoke { get; }

    public static HandlerWrapper GetHandlerWrapper<TInput>(Func<TInput, ILambdaContext, Task> handler, ILambdaSerializer serializer) =>
        new(async (input, context) =>
        {
            await handler(serializer.Deserialize<TInput>(input), context);
            return Stream.Null;
        });

    public static HandlerWrapper GetHandlerWrapper<TInput, TOutput>(Func<TInput, ILambdaContext, Task<TOutput>> handler, ILambdaSerializer serializer) =>
        new(async (input, context) =>
        {
            var output = new MemoryStream();
            serializer.Serialize(await handler(serializer.Deserialize<TInput>(input), context), output);
            output.Position = 0;
            return output;
        });
}
