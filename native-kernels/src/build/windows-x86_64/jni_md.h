/* JNI's types for 64-bit Windows: the headers of a JDK on another system describe that system. */
#ifndef SMALLMIND_JNI_MD_H
#define SMALLMIND_JNI_MD_H

#define JNIEXPORT __declspec(dllexport)
#define JNIIMPORT __declspec(dllimport)
#define JNICALL

typedef int jint;
typedef long long jlong;
typedef signed char jbyte;

#endif
